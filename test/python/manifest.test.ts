import { createHash, generateKeyPairSync, verify, constants } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { numbersOf, pythonFingerprint } from '../../src/keys/numbers.ts'
import {
  toPythonKey,
  verifyPythonManifest,
  writePythonManifest,
} from '../../src/python/manifest.ts'
import { refused } from '../keys/refusals.ts'
import { readDocument, rowsOf, sectionOf } from '../support/markdown.ts'
import { throwsCode } from '../support/throws.ts'
import { cases, keyOf, numbers, type Case } from './vectors.ts'

const where = { option: 'key' }

test('fingerprints are those of Python', () => {
  for (const key of Object.values(numbers))
    assert.is(pythonFingerprint(numbersOf(keyOf(key))), key.fingerprint)
})

/** Which files of a case are accepted; none where the manifest, or a key, is refused. */
function accepted({ keys, files, manifest_b64 }: Case): string[] {
  try {
    const trusted = keys.map((key) => toPythonKey(keyOf(key), where))
    const manifest = verifyPythonManifest(Buffer.from(manifest_b64, 'base64'), trusted)
    return Object.keys(files).filter((path) => {
      const digest = createHash(manifest.hash).update(Buffer.from(files[path]!, 'base64'))
      return manifest.files.get(path) === digest.digest('hex')
    })
  } catch (error) {
    assert.match(
      (error as { code: string }).code,
      /^ERR_SIGNEDIMP_(KEY|SIGNATURE|MANIFEST_INVALID)$/,
    )
    return []
  }
}

const acceptedByPython = ({ files, python_result }: Case): string[] =>
  Object.keys(files).filter((path) => python_result[path] === 'ok')

test('there are all cases, and Python accepts something in half of them', () => {
  assert.is(cases.length, 68)
  assert.is(cases.filter((one) => acceptedByPython(one).length > 0).length, 35)
})

for (const one of cases)
  test(`${one.name}: no file is accepted that Python refuses`, () => {
    const python = acceptedByPython(one)
    assert.equal(
      accepted(one).filter((path) => !python.includes(path)),
      [],
    )
  })

test('docs/python.md has each case in which Python accepts more', () => {
  const stricter = cases
    .filter((one) => accepted(one).length < acceptedByPython(one).length)
    .map(({ name }) => name)
  const rows = rowsOf(sectionOf(readDocument('docs/python.md'), 'Where this is stricter'))
  const named = rows.flatMap(([, list]) =>
    [...list!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
  )
  assert.equal(named.sort(), stricter.sort())
})

// Writing.
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
const key = toPythonKey(privateKey, where)
const files = new Map([
  ['z.js', 'b'.repeat(40)],
  ['Ünï/a b.js', 'a'.repeat(40)],
  ['Z.js', 'c'.repeat(40)],
])

test('what is written is read, and has the form that Python’s own have', () => {
  const bytes = writePythonManifest({ hash: 'sha1', files }, key)
  const read = verifyPythonManifest(bytes, [key])
  assert.equal(read, {
    hash: 'sha1',
    files: new Map([...files].sort()),
    signers: [key.fingerprint],
  })
  const [header, text] = bytes.toString().split('\n\n')
  assert.is(
    text,
    `sha1\n${'c'.repeat(40)} Z.js\n${'b'.repeat(40)} z.js\n${'a'.repeat(40)} Ünï/a b.js`,
  )
  const [fingerprint, signature] = header!.split(' ')
  assert.is(fingerprint, key.fingerprint)
  const stored = Buffer.from(signature!, 'base64')
  assert.is(stored.subarray(0, 9).toString(), 'pss-sha1:')
  // By the rules that Python's verifier goes by: SHA-1, MGF1 with SHA-1, a salt of 8 bytes.
  const options = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 8 }
  assert.ok(verify('sha1', Buffer.from(text!), options, stored.subarray(9)))
})

test('a flipped bit anywhere is refused', async () => {
  const bytes = writePythonManifest({ hash: 'sha1', files }, key)
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes)
    flipped[at]! ^= 1
    let error: unknown
    try {
      verifyPythonManifest(flipped, [key])
    } catch (caught) {
      error = caught
    }
    const { code } = (error ?? {}) as { code?: string }
    assert.match(code ?? `accepted at ${at}`, /^ERR_SIGNEDIMP_(SIGNATURE|MANIFEST_INVALID)$/)
  }
})

test('a manifest of signedimp itself is none of Python’s', async () => {
  const own = `${'a'.repeat(64)} ZWQ6eA==\n\nsha256\n# signedimp: 1`
  await throwsCode(() => verifyPythonManifest(Buffer.from(own), [key]), 'ERR_SIGNEDIMP_SIGNATURE')
})

for (const [modulusLength, publicExponent, words] of [
  [1016, 65537, '1016 bits'],
  [1031, 65537, 'now and then'],
  [1024, 3, 'the exponent 3'],
] as const)
  test(`a key of ${modulusLength} bits with the exponent ${publicExponent} is refused`, () => {
    const pair = generateKeyPairSync('rsa', { modulusLength, publicExponent })
    return refused('ERR_SIGNEDIMP_KEY', async () => toPythonKey(pair.privateKey, where), words)
  })

test.run()
