import '../crypto/define.ts'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { webCrypto } from '../../src/crypto/webcrypto.ts'
import type { Bytes } from '../../src/crypto/bytes.ts'
import type { TrustedKey, Verifier } from '../../src/crypto/key.ts'
import { formatManifest } from '../../src/manifest/format.ts'
import { verifyManifest } from '../../src/manifest/verify.ts'
import { anEdit, edited, type Edit } from '../crypto/edits.ts'
import { kinds, madeSigner } from '../keys/made.ts'
import { sample, stored } from './sample.ts'

const text = formatManifest(sample())

/** The code of the refusal, or what there is instead. */
const codeOf = (bytes: Uint8Array, key: TrustedKey, verifier: Verifier): Promise<string> =>
  verifyManifest(bytes, { keys: [key], threshold: 1 }, verifier).then(
    () => 'accepted',
    (error: { code?: string }) => error.code ?? String(error),
  )

const refusals = ['ERR_SIGNEDIMP_MANIFEST_INVALID', 'ERR_SIGNEDIMP_SIGNATURE']

/** Asserts that an edit is refused; in the signed text always as what no key signed. */
async function assertRefused(bytes: Bytes, edit: Edit, key: TrustedKey, verifier: Verifier) {
  const changed = edited(bytes, edit)
  assert.not.equal(changed, bytes)
  const code = await codeOf(changed, key, verifier)
  const inText = edit.place * bytes.length > bytes.length - text.length + 1
  assert.ok(
    (inText ? refusals.slice(1) : refusals).includes(code),
    `${JSON.stringify(edit)}: ${code}`,
  )
}

for (const kind of kinds) {
  test(`any one-byte edit anywhere in a manifest signed once with ${kind} is refused`, async () => {
    const signer = await madeSigner(kind)
    const bytes = await stored(text, signer)
    assert.is(await codeOf(bytes, signer.key, nodeCrypto), 'accepted')
    await fc.assert(
      fc.asyncProperty(anEdit, (edit) => assertRefused(bytes, edit, signer.key, nodeCrypto)),
      { numRuns: 4000 },
    )
  })

  test(`every byte counts in a manifest signed once with ${kind}: deleted, doubled, with one bit or its case changed`, async () => {
    const signer = await madeSigner(kind)
    const bytes = await stored(text, signer)
    for (const [at, byte] of bytes.entries()) {
      const place = (at + 0.5) / bytes.length
      const placeToInsert = (at + 0.5) / (bytes.length + 1)
      for (const edit of [
        { kind: 'delete', place, byte },
        { kind: 'insert', place: placeToInsert, byte },
        { kind: 'insert', place: placeToInsert, byte: 10 },
        { kind: 'substitute', place, byte: byte ^ 1 },
        { kind: 'substitute', place, byte: byte ^ 0x20 },
      ] as const)
        await assertRefused(bytes, edit, signer.key, nodeCrypto)
    }
  })

  test(`a page refuses the edits too, with ${kind}`, async () => {
    const signer = await madeSigner(kind)
    const bytes = await stored(text, signer)
    assert.is(await codeOf(bytes, signer.key, webCrypto), 'accepted')
    await fc.assert(
      fc.asyncProperty(anEdit, (edit) => assertRefused(bytes, edit, signer.key, webCrypto)),
      { numRuns: 500 },
    )
  })
}

test.run()
