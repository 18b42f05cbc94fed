import { spawnSync } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { KeyAlgorithm } from '../../src/keys/generate.ts'
import { publicKeyPem, toTrustedKey } from '../../src/keys/public.ts'
import { formatManifest } from '../../src/manifest/format.ts'
import { kinds, madeSigner } from '../keys/made.ts'
import { skip } from '../support/skip.ts'
import { sample, stored } from './sample.ts'

// Anybody can check a manifest without this project: these are the commands that the documentation gives.
const split = `
blank=$(sed -n '/^$/{=;q;}' signedimp-manifest.txt)
tail -n +$((blank + 1)) signedimp-manifest.txt > signed.txt
key=$(openssl pkey -pubin -in release.pem.pub -outform DER | openssl dgst -sha256 -r | cut -d ' ' -f 1)
head -n $blank signedimp-manifest.txt | grep "^$key " | head -n 1 | cut -d ' ' -f 2 | base64 -d > scheme-signature
`
const check: Record<KeyAlgorithm, string> = {
  'rsa-pss': `
tail -c +12 scheme-signature > signature
openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sigopt rsa_mgf1_md:sha256 -verify release.pem.pub -signature signature signed.txt
`,
  'ecdsa-p256': `
tail -c +19 scheme-signature > signature
openssl dgst -sha256 -verify release.pem.pub -signature signature signed.txt
`,
  ed25519: `
tail -c +9 scheme-signature > signature
openssl pkeyutl -verify -pubin -inkey release.pem.pub -rawin -in signed.txt -sigfile signature
`,
}
const checkFiles = `
tail -n +2 signed.txt | grep -v '^#' | sed 's/ /  /' | sha256sum -c --quiet
`

/** Runs a script in a folder with the sample's files, its manifest and the public key. */
async function run(script: string, kind: KeyAlgorithm, change?: (folder: string) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'signedimp-openssl-'))
  const signer = await madeSigner(kind)
  const strangers = await Promise.all(kinds.filter((other) => other !== kind).map(madeSigner))
  try {
    for (const path of sample().files.keys()) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), path)
    }
    const manifest = await stored(formatManifest(sample()), strangers[0]!, signer, strangers[1]!)
    writeFileSync(join(folder, 'signedimp-manifest.txt'), manifest)
    writeFileSync(join(folder, 'release.pem.pub'), publicKeyPem(signer.key))
    change?.(folder)
    const { status, stdout } = spawnSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8' })
    return { status, stdout }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The fingerprint of the key, as the manifest has it. */
const fingerprintIn = (folder: string): string =>
  toTrustedKey(createPublicKey(readFileSync(join(folder, 'release.pem.pub')))).fingerprint

/** Replaces a text in the manifest. */
const replace = (what: string, by: string) => (folder: string) => {
  const file = join(folder, 'signedimp-manifest.txt')
  const text = readFileSync(file, 'utf8')
  assert.ok(text.includes(what), what)
  writeFileSync(file, text.replace(what, by))
}

const words = /^(Verified OK|Signature Verified Successfully)$/m
const missing = ['openssl', 'sha256sum'].filter((tool) => spawnSync(tool, ['--version']).error)

if (missing.length)
  skip(test, 'a manifest is checked by openssl alone', `${missing.join(', ')} is not installed`)
else {
  for (const kind of kinds) {
    test(`openssl alone finds that a manifest is signed with ${kind}, among the lines of other keys`, async () => {
      const { status, stdout } = await run(split + check[kind], kind)
      assert.match(stdout, words)
      assert.is(status, 0)
    })

    for (const [what, change] of [
      ['another name', replace('# name: shop', '# name: shoq')],
      [
        'a line end after the last line',
        (folder: string) =>
          writeFileSync(join(folder, 'signedimp-manifest.txt'), '\n', { flag: 'a' }),
      ],
      [
        'no signature by the key',
        (folder: string) => replace(fingerprintIn(folder), '0'.repeat(64))(folder),
      ],
    ] as const)
      test(`openssl alone finds that a manifest with ${what} is not what ${kind} signed`, async () => {
        const { status, stdout } = await run(split + check[kind], kind, change)
        assert.not.match(stdout, words)
        assert.is.not(status, 0)
      })
  }

  test('sha256sum alone finds that the files are those of the manifest, odd names included', async () => {
    assert.equal(await run(split + checkFiles, 'ed25519'), { status: 0, stdout: '' })
  })

  test('sha256sum alone names the file that is not', async () => {
    const change = (folder: string) => writeFileSync(join(folder, 'assets/vendor-2.js'), 'evil')
    const { status, stdout } = await run(split + checkFiles, 'ed25519', change)
    assert.is(status, 1)
    assert.match(stdout, 'assets/vendor-2.js: FAILED')
  })
}

test.run()
