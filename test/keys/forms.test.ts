import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { utf8 } from '../../src/crypto/bytes.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { isPublicKey, loadPublicKey, toTrustedKey } from '../../src/keys/public.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { readDocument, rowsOf, sectionOf } from '../support/markdown.ts'
import { skip } from '../support/skip.ts'
import { inFolder } from './folder.ts'
import { noKeytool, keytool } from './keytool.ts'
import { madeKey } from './made.ts'
import { noOpenssl, openssl } from './openssl.ts'
import { privateRecipes, publicRecipes, secret, type Recipe } from './recipes.ts'
import { refused } from './refusals.ts'

const [rsa, ed] = await Promise.all([madeKey('rsa-pss'), madeKey('ed25519')])
const message = utf8('sha256\n# signedimp: 1')
const options = { password: secret, env: {} }
const documented = (heading: string): string[] =>
  rowsOf(sectionOf(readDocument('docs/keys.md'), heading)).map((row) => row.slice(0, 2).join(' | '))

const read = suite('key files of other tools')

read('docs/keys.md names what is read here, and nothing else', () => {
  assert.equal(documented('Private keys that are read'), Object.keys(privateRecipes))
  assert.equal(documented('Public keys that are read'), Object.keys(publicRecipes))
})

function forEach(
  recipes: Record<string, Recipe[]>,
  half: string,
  check: (file: string, key: KeyObject | undefined) => Promise<void>,
): void {
  for (const [row, list] of Object.entries(recipes))
    for (const [at, { missing, make }] of list.entries()) {
      const title = `a ${half} key is read: ${row} (${at + 1})`
      if (missing) skip(read, title, missing)
      else
        read(title, () => inFolder(async (folder) => check(join(folder, 'k'), await make(folder))))
    }
}

forEach(privateRecipes, 'private', async (file, key) => {
  const signer = await loadSigner(file, options)
  if (key) assert.is(signer.key.fingerprint, toTrustedKey(key).fingerprint)
  assert.is(await nodeCrypto.verify(signer.key, await signer.sign(message), message), true)
  assert.is(await isPublicKey(file), false)
  // A private key is a mistake in the place of a public one, in every form.
  await refused('ERR_SIGNEDIMP_KEY', () => loadPublicKey(file), '', readFileSync(file, 'latin1'))
})

forEach(publicRecipes, 'public', async (file, key) => {
  const found = await loadPublicKey(file)
  if (key) assert.equal(found, toTrustedKey(key))
  assert.is(await isPublicKey(file), true)
  await refused('ERR_SIGNEDIMP_KEY', () => loadSigner(file, options), /public|private key/)
})

const store = suite('PKCS#12')

/** A store that openssl makes of keys, with a password. */
async function makeStore(folder: string, options: string, password = secret): Promise<Buffer> {
  const key = join(folder, 'in')
  writeFileSync(key, (await madeKey('rsa-pss')).export({ type: 'pkcs8', format: 'pem' }))
  openssl(`req -x509 -key ${key} -subj /CN=x -out ${join(folder, 'cert')}`)
  writeFileSync(join(folder, 'password'), password)
  const files = `-inkey ${key} -in ${join(folder, 'cert')} -out ${join(folder, 'k')}`
  openssl(`pkcs12 -export ${files} -passout file:${join(folder, 'password')}${options}`)
  return readFileSync(join(folder, 'k'))
}

const cases: [string, (folder: string) => Promise<void>][] = [
  [
    'does not open with a wrong password, with none and with an empty one',
    async (folder) => {
      for (const cipher of ['', ' -legacy', ' -nomac']) {
        await makeStore(folder, cipher)
        for (const password of ['wrong', `${secret}x`, undefined, ''])
          await refused(
            'ERR_SIGNEDIMP_PASSWORD',
            () => loadSigner(join(folder, 'k'), { password, env: {} }),
            password ? 'does not open' : 'holds an encrypted key',
          )
      }
    },
  ],
  [
    'opens with a password of other characters than ASCII, by its new ciphers and the old',
    async (folder) => {
      for (const cipher of ['', ' -legacy', ' -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES']) {
        await makeStore(folder, cipher, 'pässwörd')
        const load = (password: string) => loadSigner(join(folder, 'k'), { password, env: {} })
        assert.equal((await load('pässwörd')).key, toTrustedKey(await madeKey('rsa-pss')))
        await refused('ERR_SIGNEDIMP_PASSWORD', () => load('pässwört'), 'does not open')
        // UTF-8 of the password, spelled out: only the right one may pass the MAC.
        const spelled = Buffer.from('pässwörd').toString('latin1')
        await refused('ERR_SIGNEDIMP_PASSWORD', () => load(spelled), 'does not open')
      }
    },
  ],
  [
    'is refused wherever a byte of it is flipped, or gives the same key',
    async (folder) => {
      const bytes = await makeStore(folder, '')
      const { fingerprint } = toTrustedKey(await madeKey('rsa-pss'))
      let refusals = 0
      for (let at = 0; at < bytes.length; at += 53) {
        const damaged = Buffer.from(bytes)
        damaged[at]! ^= 1
        writeFileSync(join(folder, 'k'), damaged)
        const result = await loadSigner(join(folder, 'k'), options).catch((error) => error)
        if (result.code) assert.match(result.code, /^ERR_SIGNEDIMP_(KEY|PASSWORD)$/)
        else assert.is(result.key.fingerprint, fingerprint)
        refusals += result.code ? 1 : 0
      }
      assert.ok(refusals > 60, `${refusals}`)
    },
  ],
  [
    'is read where its length stands nowhere, as BER allows',
    async (folder) => {
      const bytes = await makeStore(folder, '')
      const inner = bytes.subarray(4)
      assert.is(bytes[1], 0x82)
      const endless = Buffer.concat([Buffer.of(0x30, 0x80), inner, Buffer.of(0, 0)])
      writeFileSync(join(folder, 'k'), endless)
      const signer = await loadSigner(join(folder, 'k'), options)
      assert.equal(signer.key, toTrustedKey(await madeKey('rsa-pss')))
    },
  ],
  [
    'without a private key is refused as that',
    async (folder) => {
      await makeStore(folder, '')
      openssl(
        `pkcs12 -export -nokeys -in ${join(folder, 'cert')} -passout pass:${secret} -out ${join(folder, 'k')}`,
      )
      const load = () => loadSigner(join(folder, 'k'), options)
      await refused('ERR_SIGNEDIMP_KEY', load, 'is a PKCS#12 file without a private key')
    },
  ],
]

for (const [title, work] of cases)
  if (noOpenssl) skip(store, title, noOpenssl)
  else store(`a file ${title}`, () => inFolder(work))

const two = 'a store with two private keys is refused: nobody said which'
if (noKeytool) skip(store, two, noKeytool)
else
  store(two, () =>
    inFolder(async (folder) => {
      for (const alias of ['a', 'b'])
        keytool(
          `-genkeypair -keyalg EC -groupname secp256r1 -alias ${alias} -dname CN=x -keystore k -storetype PKCS12 -storepass ${secret}`,
          folder,
        )
      const load = () => loadSigner(join(folder, 'k'), options)
      await refused('ERR_SIGNEDIMP_KEY', load, 'must hold one private key, but holds 2 in PKCS#12')
    }),
  )

const jwk = suite('JWK')

for (const [alg, scheme] of [
  ['PS256', 'pss-sha256'],
  ['PS384', 'pss-sha384'],
  ['PS512', 'pss-sha512'],
] as const)
  jwk(`"alg": "${alg}" says how a key signs, and its public half the same`, () =>
    inFolder(async (folder) => {
      const file = join(folder, 'k')
      writeFileSync(file, JSON.stringify({ ...rsa.export({ format: 'jwk' }), alg }))
      const signer = await loadSigner(file)
      assert.is(signer.key.scheme, scheme)
      assert.is(await nodeCrypto.verify(signer.key, await signer.sign(message), message), true)
      const half = createPublicKey(rsa).export({ format: 'jwk' })
      writeFileSync(file, JSON.stringify({ ...half, alg }))
      assert.equal(await loadPublicKey(file), signer.key)
    }),
  )

const of = (key: KeyObject, more: object) =>
  JSON.stringify({ ...key.export({ format: 'jwk' }), ...more })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey

for (const [what, text, words] of [
  ['for another algorithm', of(rsa, { alg: 'RS256' }), 'does not sign with'],
  ['for the algorithm of another kind', of(ed, { alg: 'PS256' }), 'does not sign with'],
  ['whose algorithm is no text', of(ed, { alg: ['EdDSA'] }), 'does not sign with'],
  ['for encryption', of(rsa, { use: 'enc' }), 'not for signatures'],
  ['for other operations', of(rsa, { key_ops: ['decrypt'] }), 'not for signatures'],
  ['on another curve', of(p384, {}), 'unsupported kind'],
  ['that is symmetric', '{"kty":"oct","k":"AAAA"}', ''],
  ['that lacks its end', of(rsa, {}).slice(0, -9), 'cut short'],
  ['without numbers', '{"kty":"RSA","d":"AQAB"}', 'damaged'],
] as const)
  jwk(`a private key ${what} is refused`, () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'k'), text)
      const load = () => loadSigner(join(folder, 'k'))
      await refused('ERR_SIGNEDIMP_KEY', load, words, text)
    }),
  )

const numbers = suite("numbers of Python's signedimp")

/** A key in the spelling of Python. */
const spelled = (key: KeyObject, separator = ', ', end = '') => {
  const { n, e, d } = key.export({ format: 'jwk' })
  const list = [n, e, d].map((text) => {
    const digits = Buffer.from(text!, 'base64url').toString('hex')
    return `${BigInt(`0x${digits}`)}${end}`
  })
  return { secret: `RSAKey(${list.join(separator)})`, open: `RSAKey(${list.slice(0, 2).join()})` }
}

numbers('a private key and its public half are read from them', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'k')
    for (const [separator, end] of [
      [',', ''],
      [', ', 'L'],
      [',\n  ', ''],
    ]) {
      const { secret, open } = spelled(rsa, separator, end)
      for (const text of [secret, `key = ${secret}\n`]) {
        writeFileSync(file, text)
        const signer = await loadSigner(file)
        assert.equal(signer.key, toTrustedKey(rsa))
        await signer.sign(message)
        assert.is(await isPublicKey(file), false)
        await refused('ERR_SIGNEDIMP_KEY', () => loadPublicKey(file), 'holds a private key', text)
      }
      writeFileSync(file, open)
      assert.equal(await loadPublicKey(file), toTrustedKey(rsa))
      await refused('ERR_SIGNEDIMP_KEY', () => loadSigner(file), 'holds a public key')
    }
  }),
)

numbers('numbers that belong to no key are refused', () =>
  inFolder(async (folder) => {
    const good = spelled(rsa).secret
    const e3 = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
    for (const [text, words] of [
      [good.replace(/\d\)/, (end) => `${(Number(end[0]) + 1) % 10})`), 'damaged'],
      [good.replace('65537', '65539'), 'damaged'],
      [good.replace(')', ', 5)'), 'and nothing else'],
      [`${good}; import os`, 'and nothing else'],
      ['RSAKey(15, 3, 3)', 'is an RSA key of'],
      ['RSAKey(0, 0, 0)', 'damaged'],
      [`RSAKey(${'9'.repeat(5001)}, 3, 3)`, 'must be RSAKey'],
      [spelled(e3).secret, 'with the exponent 3'],
      [spelled(short).secret, '1024 bits'],
    ] as const) {
      writeFileSync(join(folder, 'k'), text)
      await refused('ERR_SIGNEDIMP_KEY', () => loadSigner(join(folder, 'k')), words, text)
    }
  }),
)

read.run()
store.run()
jwk.run()
numbers.run()
