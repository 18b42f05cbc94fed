import { generateKeyPairSync } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decryptPkcs8 } from '../../src/keys/decrypt.ts'
import { encryptPkcs8 } from '../../src/keys/encrypt.ts'
import { pemBlocks } from '../../src/crypto/pem.ts'
import { pemBytes } from '../../src/keys/pem.ts'
import { skip } from '../support/skip.ts'
import { throwsCode } from '../support/throws.ts'
import { noOpenssl, openssl } from './openssl.ts'

// Node opens such keys itself; Bun does not, and test/runtimes builds with one there.

const { privateKey } = generateKeyPairSync('ed25519')
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
const bytesOf = (text: string) => pemBytes(pemBlocks(text)[0]!)

test('what keygen encrypts is opened, with the password and no other', async () => {
  const encrypted = await encryptPkcs8(pkcs8, 'pässword')
  assert.equal(await decryptPkcs8(encrypted, 'pässword'), pkcs8)
  await throwsCode(() => decryptPkcs8(encrypted, 'password'), 'ERR_OSSL_BAD_DECRYPT')
})

test('a password that happens to give a good padding is a wrong one', async () => {
  const nonsense = [Buffer.from('no key'), Buffer.alloc(0), pkcs8.subarray(1)]
  for (const bytes of [...nonsense, Buffer.concat([pkcs8, pkcs8])]) {
    const encrypted = await encryptPkcs8(bytes, 'pw')
    await throwsCode(() => decryptPkcs8(encrypted, 'pw'), 'ERR_OSSL_BAD_DECRYPT')
  }
})

test('what is encrypted in another way is left to node:crypto', async () => {
  const options = { type: 'pkcs8', format: 'der', passphrase: 'pw' } as const
  for (const cipher of ['aes-256-cbc', 'aes-128-cbc'])
    assert.is(await decryptPkcs8(privateKey.export({ ...options, cipher }), 'pw'), undefined)
})

test('more work than an honest file asks for is refused', async () => {
  const encrypted = await encryptPkcs8(pkcs8, 'pw')
  const at = encrypted.indexOf(Buffer.from('02024000020108', 'hex'))
  assert.ok(at > 0)
  encrypted[at + 6] = 64
  await throwsCode(() => decryptPkcs8(encrypted, 'pw'), 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS')
})

if (noOpenssl) skip(test, 'what openssl encrypts with scrypt is opened', noOpenssl)
else
  test('what openssl encrypts with scrypt is opened', async () => {
    const encrypt = (cipher: string) =>
      bytesOf(openssl(`pkcs8 -topk8 -scrypt -v2 ${cipher} -passout pass:pw`, pem))
    assert.equal(await decryptPkcs8(encrypt('aes-256-cbc'), 'pw'), pkcs8)
    assert.is(await decryptPkcs8(encrypt('aes-128-cbc'), 'pw'), undefined)
  })

test.run()
