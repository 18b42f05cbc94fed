import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { formatNumbers } from '../../src/keys/numbers.ts'
import { jsonOf, signedimp } from '../cli/run.ts'
import { cases } from '../python/vectors.ts'
import { attack, attacks } from '../support/attack.ts'
import { scratchFolder } from '../support/processes.ts'
import { writeInto } from '../tree/folder.ts'

// Manifests that Python's signedimp accepts, by signatures that nobody with the key has made so: as it was seen to answer.

const forged: Record<string, [words: string, code: string]> = {
  'raw-scheme-e3-FORGED': [
    'a "raw:" signature, forged without the key, as its exponent is 3',
    'KEY',
  ],
  'sig-extra-leading-zero': ['a signature with a byte more than the key has', 'SIGNATURE'],
  'sig-plus-n': ['a signature to which the modulus was added', 'SIGNATURE'],
}

/** What `verify --format python` says of a case's files and manifest, with its key. */
function verify(name: string) {
  const { keys, files, manifest_b64 } = cases.find((one) => one.name === name)!
  const cwd = scratchFolder()
  for (const [path, content] of Object.entries(files))
    writeInto(cwd, `app/${path}`, Buffer.from(content, 'base64'))
  writeInto(cwd, 'app/signedimp-manifest.txt', Buffer.from(manifest_b64, 'base64'))
  const [{ n, e }] = keys as [(typeof keys)[number]]
  writeFileSync(join(cwd, 'key'), formatNumbers({ n: BigInt(n), e: BigInt(e) }))
  return signedimp(['verify', 'app', '--format', 'python', '--key', 'key', '--json'], { cwd })
}

attack(
  111,
  'a manifest that the original accepts',
  { variants: Object.keys(forged) },
  async (variant) => {
    const { files, python_result } = cases.find(({ name }) => name === variant)!
    assert.ok(Object.keys(files).some((path) => python_result[path] === 'ok'))
    const run = verify(variant)
    const { code } = jsonOf(run).error
    assert.is(code, `ERR_SIGNEDIMP_${forged[variant]![1]}`)
    assert.is.not(run.status, 0)
    return `refused ${code}`
  },
)

attack(111, 'what the original accepts and its key has signed', {}, async () => {
  const run = verify('plain-rsa2048')
  assert.equal([run.status, jsonOf(run).files], [0, 3])
  return 'ok it is as signed'
})

attacks.run()
