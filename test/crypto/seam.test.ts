import './define.ts'
import { createPublicKey } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { algorithms, hashTypes } from '../../src/crypto/algorithms.ts'
import { hex, utf8 } from '../../src/crypto/bytes.ts'
import { rawFromDer } from '../../src/crypto/der.ts'
import type { Verifier } from '../../src/crypto/key.ts'
import { hashBytes, nodeCrypto } from '../../src/crypto/node.ts'
import { pureCrypto } from '../../src/crypto/pure.ts'
import { webCrypto } from '../../src/crypto/webcrypto.ts'
import { kinds, madePublic, madeSigner } from '../keys/made.ts'

const seams: [string, Verifier, typeof kinds][] = [
  ['nodeCrypto', nodeCrypto, kinds],
  ['webCrypto', webCrypto, kinds],
  ['pureCrypto', pureCrypto, ['rsa-pss']],
]
const message = utf8('sha256\n# signedimp: 1')

// FIPS 180-4, "abc".
const digests = {
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha384:
    'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  sha512:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
}

for (const [name, { digest, verify }, known] of seams) {
  for (const type of hashTypes)
    test(`${name} hashes "abc" with ${type} as the standard says`, async () => {
      assert.is(hex(await digest(type, utf8('abc'))), digests[type])
      assert.is(hashBytes(type, utf8('abc')), digests[type])
    })

  test(`${name} hashes the bytes of a view, not of the buffer behind it`, async () => {
    assert.is(hex(await digest('sha256', utf8('xabcx').subarray(1, 4))), digests.sha256)
  })

  for (const kind of known) {
    test(`${name} accepts a signature by ${kind}, and no bit of it is idle`, async () => {
      const { key, sign } = await madeSigner(kind)
      const signature = await sign(message)
      assert.is(await verify(key, signature, message), true)
      for (let bit = 0; bit < signature.length * 8; bit += 7) {
        const changed = signature.map((byte, at) =>
          at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte,
        )
        assert.is(await verify(key, changed, message), false, `bit ${bit}`)
      }
    })

    test(`${name} says false, and does not throw, to what is no signature by ${kind}`, async () => {
      const { key, sign } = await madeSigner(kind)
      let good = [...(await sign(message))]
      // Where WebCrypto is OpenSSL's it takes a number without its leading zeros.
      while (kind === 'rsa-pss' && good[0] === 0) good = [...(await sign(message))]
      const { length } = good
      const wrong = [
        [],
        [0],
        Array(length).fill(0),
        Array(length).fill(255),
        good.slice(1),
        good.slice(0, -1),
      ]
      for (const bytes of [
        ...wrong,
        [...good, 0],
        [0, ...good],
        [...good, ...good],
        Array(9999).fill(0),
      ])
        assert.is(
          await verify(key, Uint8Array.from(bytes), message),
          false,
          `${bytes.length} bytes`,
        )
    })

    test(`${name} does not take the signature of another message or of another ${kind} key`, async () => {
      const { key, sign } = await madeSigner(kind)
      const signature = await sign(message)
      assert.is(await verify(key, signature, message.subarray(1)), false)
      for (const other of kinds.filter((candidate) => candidate !== kind))
        assert.is(await verify(await madePublic(other), signature, message), false)
    })
  }
}

for (const [name, { verify }] of [seams[0]!, seams[2]!])
  test(`${name} takes no RSA signature whose leading zeros are missing`, async () => {
    const { key, sign } = await madeSigner('rsa-pss')
    let signature = await sign(message)
    while (signature[0] !== 0) signature = await sign(message)
    assert.is(await verify(key, signature, message), true)
    assert.is(await verify(key, signature.subarray(1), message), false)
  })

for (const [name, { verify }] of seams.slice(0, 2))
  test(`${name} takes no ECDSA signature as r || s: stored as DER it would be another signature`, async () => {
    const { key, sign } = await madeSigner('ecdsa-p256')
    const signature = await sign(message)
    assert.is(await verify(key, rawFromDer(signature)!, message), false)
    assert.is(await verify(key, signature, message), true)
  })

test('a bootstrap that is built without DER takes no ECDSA signature at all', async () => {
  const { key, sign } = await madeSigner('ecdsa-p256')
  const signature = await sign(message)
  Object.assign(globalThis, { __DER__: false })
  try {
    assert.is(await webCrypto.verify(key, signature, message), false)
  } finally {
    Object.assign(globalThis, { __DER__: true })
  }
})

for (const [name, { verify }] of seams)
  test(`${name} takes no RSA signature to which the modulus was added, which is the same number to the key`, async () => {
    const { key, sign } = await madeSigner('rsa-pss')
    const { n } = createPublicKey({
      key: Buffer.from(key.spki, 'base64'),
      format: 'der',
      type: 'spki',
    }).export({ format: 'jwk' })
    const modulus = BigInt(`0x${Buffer.from(n!, 'base64url').toString('hex')}`)
    let added = ''
    do {
      const number = BigInt(`0x${hex(await sign(message))}`)
      added = (number + modulus).toString(16)
    } while (added.length > 768)
    assert.is(await verify(key, Buffer.from(added, 'hex'), message), false)
  })

test('the algorithm is the row of the pinned key: a key with another row verifies nothing', async () => {
  const { key, sign } = await madeSigner('rsa-pss')
  const signature = await sign(message)
  const other = { ...key, algorithm: algorithms['pss-sha512'] }
  for (const [, { verify }] of seams) assert.is(await verify(other, signature, message), false)
})

test.run()
