import './define.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { algorithms, type Scheme } from '../../src/crypto/algorithms.ts'
import { rawFromDer } from '../../src/crypto/der.ts'
import type { Verifier } from '../../src/crypto/key.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { pureCrypto } from '../../src/crypto/pure.ts'
import { webCrypto } from '../../src/crypto/webcrypto.ts'
import { derFromRaw } from '../../src/keys/der.ts'
import { casesOf, type Case } from './wycheproof.ts'

// `acceptable` is refused throughout: signatures in another spelling than the one of the standard (MissingZero: negative
// integers in DER; SigSize: r || s that is too short), and those over a broken hash (WeakHash: SHA-1).

const seams: [string, Verifier][] = [
  ['nodeCrypto', nodeCrypto],
  ['webCrypto', webCrypto],
  ['pureCrypto', pureCrypto],
]

const isCalledValid = (test: Case): boolean => test.result === 'valid'

/** What a verifier accepts of the cases, and the titles of those that it should have decided otherwise. */
async function run(cases: Case[], { verify }: Verifier, isValid = isCalledValid) {
  const sums = { accepted: 0, refused: 0, wrong: [] as string[] }
  for (const test of cases) {
    const accepted = await verify(test.key, test.signature, test.message)
    sums[accepted ? 'accepted' : 'refused']++
    if (accepted !== isValid(test)) sums.wrong.push(test.title)
  }
  return sums
}

const same = (test: Case): Case => test

// The file's own parameters, where the table has no such row: the salt of another length than the hash.
const withSalt = (test: Case): Case => ({
  ...test,
  key: {
    ...test.key,
    algorithm: { name: 'RSA-PSS', hash: test.sha, saltLength: test.saltLength },
  },
})

// r || s, as a signer may give it and a manifest never stores it.
const fromRaw = (test: Case): Case =>
  test.signature.length === 64 ? { ...test, signature: derFromRaw(test.signature) } : test

const as =
  (scheme: Scheme) =>
  (test: Case): Case => ({
    ...test,
    key: { ...test.key, scheme, algorithm: algorithms[scheme] },
  })

const files: [file: string, accepted: number, refused: number, adapt?: (test: Case) => Case][] = [
  ['rsa_pss_2048_sha256_mgf1_32', 63, 40],
  ['rsa_pss_3072_sha256_mgf1_32', 63, 40],
  ['rsa_pss_4096_sha256_mgf1_32', 63, 40],
  ['rsa_pss_2048_sha256_mgf1_0', 61, 39, withSalt],
  ['rsa_pss_4096_sha512_mgf1_32', 132, 39, withSalt],
  ['ecdsa_secp256r1_sha256', 147, 240],
  ['ecdsa_secp256r1_sha256_p1363', 146, 73, fromRaw],
  ['eddsa', 84, 61],
]

const rsaFiles = files.filter(([file]) => file.startsWith('rsa'))

for (const [name, verifier] of seams) {
  for (const [file, accepted, refused, adapt = same] of verifier === pureCrypto ? rsaFiles : files)
    test(`${name} decides ${file} as Wycheproof does: ${accepted} valid, ${refused} not`, async () => {
      assert.equal(await run(casesOf(file).map(adapt), verifier), { accepted, refused, wrong: [] })
    })

  // 150 combinations of hash, hash of MGF1 and salt, all with good signatures: each scheme is one of them.
  for (const [scheme, sha, saltLength] of [
    ['pss-sha256', 'SHA-256', 32],
    ['pss-sha384', 'SHA-384', 48],
    ['pss-sha512', 'SHA-512', 64],
  ] as const)
    test(`${name} takes one of 150 PSS parameters for ${scheme}: no other hash, MGF1 or salt, no SHA-1`, async () => {
      const isValid = (test: Case) =>
        test.sha === sha && test.mgfSha === sha && test.saltLength === saltLength
      const sums = await run(casesOf('rsa_pss_misc').map(as(scheme)), verifier, isValid)
      assert.equal(sums, { accepted: 1, refused: 149, wrong: [] })
    })

  for (const [file, scheme, count] of [
    ['rsa_pss_2048_sha256_mgf1_0', 'pss-sha256', 61],
    ['rsa_pss_4096_sha512_mgf1_32', 'pss-sha512', 132],
  ] as const)
    test(`${name} refuses ${count} good signatures whose salt is not as long as ${scheme} has it`, async () => {
      const cases = casesOf(file).filter((test) => test.result === 'valid')
      const { accepted, refused } = await run(cases.map(as(scheme)), verifier)
      assert.equal({ accepted, refused }, { accepted: 0, refused: count })
    })
}

test('pureCrypto takes no signature that is not by an RSA key', async () => {
  for (const [file] of files.filter((each) => !rsaFiles.includes(each))) {
    const { accepted, refused } = await run(casesOf(file), pureCrypto)
    assert.is(accepted, 0)
    assert.ok(refused > 100)
  }
})

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('rawFromDer reads DER and no other spelling of a signature: one signature, one string of bytes', () => {
  const cases = casesOf('ecdsa_secp256r1_sha256')
  const read = cases.filter((test) => rawFromDer(test.signature) !== undefined)
  const others = cases.filter((test) => !read.includes(test))
  assert.equal([read.length, others.length], [218, 169])
  assert.is(read.filter((test) => test.result === 'valid').length, 147)
  assert.is(
    others.filter((test) => test.flags.some((flag) => /BER|MissingZero/.test(flag))).length,
    10,
  )
  // What it reads, wrong numbers included, has no second spelling: encoding it again gives the same bytes.
  const respelled = read.filter(
    (test) => hexOf(derFromRaw(rawFromDer(test.signature)!)) !== hexOf(test.signature),
  )
  assert.equal(
    respelled.map((test) => test.title),
    [],
  )
})

test.run()
