import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { utf8 } from '../../src/crypto/bytes.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { pemBlocks } from '../../src/crypto/pem.ts'
import { pemBytes, toPem } from '../../src/keys/pem.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { loadPublicKey, publicKeyPem, toTrustedKey } from '../../src/keys/public.ts'
import { skip } from '../support/skip.ts'
import { throwsCode } from '../support/throws.ts'
import { inFolder } from './folder.ts'
import { kinds, madeKey, madePublic } from './made.ts'
import { noOpenssl, openssl } from './openssl.ts'
import { mistaken, password, refused } from './refusals.ts'

const message = utf8('sha256\n# signedimp: 1')
const env = {}

const pemOf = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8'): string =>
  String(key.export({ type: type as 'pkcs8', format: 'pem' }))

const encryptedPemOf = (key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8'): string =>
  String(
    key.export({
      type: type as 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: password,
    }),
  )

const derOf = (key: KeyObject): Buffer => key.export({ type: 'pkcs8', format: 'der' })

const rsa = await madeKey('rsa-pss')
const ec = await madeKey('ecdsa-p256')
const ed = await madeKey('ed25519')

/** Asserts that a PEM text is read as the key that it holds, and that it signs. */
async function reads(pem: string, key: KeyObject): Promise<void> {
  const signer = await loadSigner(pem, { password, env })
  assert.equal(signer.key, toTrustedKey(key))
  assert.is(await nodeCrypto.verify(signer.key, await signer.sign(message), message), true)
}

for (const [what, pem, key] of [
  ['PKCS#8 of RSA', pemOf(rsa), rsa],
  ['PKCS#8 of ECDSA', pemOf(ec), ec],
  ['PKCS#8 of Ed25519', pemOf(ed), ed],
  ['PKCS#1', pemOf(rsa, 'pkcs1'), rsa],
  ['SEC1', pemOf(ec, 'sec1'), ec],
  ['encrypted PKCS#8 of RSA', encryptedPemOf(rsa), rsa],
  ['encrypted PKCS#8 of ECDSA', encryptedPemOf(ec), ec],
  ['encrypted PKCS#8 of Ed25519', encryptedPemOf(ed), ed],
  ['old encrypted PEM of RSA', encryptedPemOf(rsa, 'pkcs1'), rsa],
  ['old encrypted PEM of ECDSA', encryptedPemOf(ec, 'sec1'), ec],
  ['PEM with CRLF', encryptedPemOf(ed).replaceAll('\n', '\r\n'), ed],
  ['PEM without its last line end', pemOf(ed).trimEnd(), ed],
  ['PEM after a text about it', `Bag Attributes\n    friendlyName: release\n${pemOf(ed)}`, ed],
  ['PEM before its public half', pemOf(ed) + publicKeyPem(toTrustedKey(ed)), ed],
  ['PEM after a line end, as YAML gives it', `\n  ${pemOf(ed)}`, ed],
] as const)
  test(`reads ${what}`, () => reads(pem, key))

if (noOpenssl) skip(test, 'reads the keys of openssl', noOpenssl)
else {
  const pass = `-passout pass:${password.replaceAll(' ', '_')}`
  const options = { password: password.replaceAll(' ', '_'), env }
  for (const [what, args, key] of [
    [
      'PBKDF2 with 600,000 rounds',
      'pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000',
      rsa,
    ],
    ['PBKDF2 with SHA-512', 'pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA512', ed],
    ['scrypt', 'pkcs8 -topk8 -scrypt', ec],
    ['3DES of PKCS#5 v1.5', 'pkcs8 -topk8 -v1 PBE-SHA1-3DES', ec],
    ['Camellia', 'pkcs8 -topk8 -v2 camellia-256-cbc', ed],
    ['PKCS#1 in old encrypted PEM', 'rsa -traditional -aes256', rsa],
    ['SEC1 in old encrypted PEM', 'ec -des3', ec],
  ] as const)
    test(`reads what openssl encrypted: ${what}`, async () => {
      const pem = openssl(`${args} ${pass}`, pemOf(key))
      assert.match(pem, 'ENCRYPTED')
      assert.equal((await loadSigner(pem, options)).key, toTrustedKey(key))
      await refused(
        'ERR_SIGNEDIMP_PASSWORD',
        () => loadSigner(pem, { password: 'wrong', env }),
        'does not open',
        pem,
      )
    })

  for (const [what, args, expected] of [
    ['genpkey', 'genpkey -algorithm ed25519', 'ed25519'],
    ['genrsa, which writes PKCS#8', 'genrsa 2048', 'pss-sha256'],
    ['genrsa, which writes PKCS#1', 'genrsa -traditional 2048', 'pss-sha256'],
    [
      'ecparam, which writes the curve first',
      'ecparam -name prime256v1 -genkey',
      'ecdsa-p256-sha256',
    ],
    [
      'genpkey with an RSA-PSS key',
      'genpkey -algorithm rsa-pss -pkeyopt rsa_keygen_bits:2048',
      'pss-sha256',
    ],
  ] as const)
    test(`reads what openssl made: ${what}`, async () => {
      const { key, sign } = await loadSigner(openssl(args), { env })
      assert.is(key.scheme, expected)
      assert.is(await nodeCrypto.verify(key, await sign(message), message), true)
    })

  test('a cipher that OpenSSL has given up is refused as such, and is no wrong password', async () => {
    const args = `pkcs8 -topk8 -v1 PBE-MD5-DES ${pass} -provider legacy -provider default`
    const pem = openssl(args, pemOf(ec))
    await refused(
      'ERR_SIGNEDIMP_KEY',
      () => loadSigner(pem, options),
      /encrypted in a way that is not supported.*openssl pkcs8/,
      pem,
    )
  })

  test('a certificate is no private key, and with one beside it a key is read', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'k')
      await writeFile(file, pemOf(ed))
      const certificate = openssl(`req -x509 -key ${file} -subj /CN=x`)
      const load = () => loadSigner(certificate, { env })
      await refused('ERR_SIGNEDIMP_KEY', load, 'holds CERTIFICATE: a private key')
      await reads(certificate + pemOf(ed), ed)
    }))
}

// Passwords.
test('a wrong password is always called one: one in 256 decrypts to a good padding, and then to no key', async () => {
  const pem = encryptedPemOf(ed)
  for (let at = 0; at < 1500; at++)
    await throwsCode(
      () => loadSigner(pem, { password: `wrong ${at}`, env }),
      'ERR_SIGNEDIMP_PASSWORD',
    )
  const load = () => loadSigner(pem, { password: 'wrong', env })
  await refused('ERR_SIGNEDIMP_PASSWORD', load, '"key" does not open', pem)
})

test('without a password an encrypted key is refused with the three places to put one', async () => {
  for (const pem of [encryptedPemOf(ed), encryptedPemOf(ec, 'sec1'), encryptedPemOf(rsa, 'pkcs1')])
    await refused(
      'ERR_SIGNEDIMP_PASSWORD',
      () => loadSigner(pem, { env }),
      /"password".*SIGNEDIMP_PASSWORD.*SIGNEDIMP_PASSWORD_FILE/,
      pem,
    )
})

test('a password is not asked for where the key has none', async () => {
  const password = () => {
    throw new Error('asked')
  }
  assert.equal((await loadSigner(pemOf(ed), { password, env })).key, await madePublic('ed25519'))
})

// Where a key comes from.
test('a key is read from a path, relative to cwd, from a URL and from memory', () =>
  inFolder(async (folder) => {
    await mkdir(join(folder, 'my keys'))
    const file = join(folder, 'my keys', 'release #1.pem')
    await writeFile(file, encryptedPemOf(ed))
    const options = { password, env }
    for (const source of [file, pathToFileURL(file), ed])
      assert.equal((await loadSigner(source, options)).key, await madePublic('ed25519'))
    const relative = await loadSigner('my keys/release #1.pem', { ...options, cwd: folder })
    assert.equal(relative.key, await madePublic('ed25519'))
  }))

test('a file that cannot be read is named, with the reason', () =>
  inFolder(async (folder) => {
    await refused(
      'ERR_SIGNEDIMP_KEY',
      () => loadSigner('no.pem', { cwd: folder, env }),
      `ERR_SIGNEDIMP_KEY no.pem: cannot be read from ${folder} (ENOENT)`,
    )
    await refused('ERR_SIGNEDIMP_KEY', () => loadSigner(folder, { env }), 'cannot be read (EISDIR)')
  }))

test('a file is named as it was given when its key is refused', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'release.pem'), encryptedPemOf(ed))
    const load = () => loadSigner('release.pem', { cwd: folder, password: 'wrong', env })
    await refused(
      'ERR_SIGNEDIMP_PASSWORD',
      load,
      /^ERR_SIGNEDIMP_PASSWORD release\.pem: does not open/,
    )
  }))

for (const [what, value] of [
  ['nothing', undefined],
  ['null', null],
  ['an empty text, as an unset variable gives', ''],
  ['zero', 0],
  ['a number', 42],
  ['true', true],
  ['an array', [pemOf(ed)]],
  ['a Buffer', Buffer.from(pemOf(ed))],
  ['an object', { pem: pemOf(ed) }],
  ['a signer without sign', { publicKey: ed }],
  ['a signer whose sign is no function', { publicKey: ed, sign: 'pkcs11-tool' }],
  ['a function', () => pemOf(ed)],
] as const)
  test(`a key that is ${what} is a mistake, and not a wish for a one-time key`, async () => {
    const options = { env, option: 'signer' }
    await mistaken(
      () => loadSigner(value as never, options),
      '"signer" must be a private key',
      pemOf(ed),
    )
  })

test('the message about an unset variable says so', async () => {
  for (const value of [undefined, ''])
    await mistaken(
      () => loadSigner(value as never, { env }),
      /^"key" must be .*not (undefined|an empty string) \(is an environment variable not set\?\)$/,
    )
})

test('a key at a URL that is no file is a mistake: nothing is fetched', () =>
  mistaken(
    () => loadSigner(new URL('https://example.com/release.pem'), { env }),
    'must be a file: URL, not https:',
  ))

const encode = (text: string) => Buffer.from(text).toString('base64')

test('line breaks may be written as \\n, as variables of some CI systems have them', () =>
  inFolder(async (folder) => {
    for (const made of [rsa, ed, ec])
      for (const pem of [pemOf(made), encryptedPemOf(made)])
        for (const flat of [pem.replaceAll('\n', '\\n'), pem.replaceAll('\n', '\\r\\n')]) {
          const options = { password, env }
          assert.equal((await loadSigner(flat, options)).key, toTrustedKey(made))
          await writeFile(join(folder, 'flat.pem'), flat + '\n')
          const signer = await loadSigner(join(folder, 'flat.pem'), options)
          assert.equal(signer.key, toTrustedKey(made))
        }
    const pub = publicKeyPem(toTrustedKey(rsa)).replaceAll('\n', '\\n')
    assert.equal(await loadPublicKey(pub), toTrustedKey(rsa))
  }))

// Key material in the place of a path, as from a variable that holds the key itself.
for (const [what, text, words] of [
  ['the base64 of a key', pemBytes(pemBlocks(pemOf(rsa))[0]!).toString('base64'), 'cannot be read'],
  [
    'the base64 of a short key',
    pemBytes(pemBlocks(pemOf(ed))[0]!).toString('base64'),
    'cannot be read',
  ],
  ['a JWK', JSON.stringify(ec.export({ format: 'jwk' })), 'cannot be read'],
  ['PEM whose first line is lost', pemOf(ed).split('\n').slice(1).join('\n'), 'cannot be read'],
  ['the base64 of PEM', encode(pemOf(ed)), 'is a PEM text in base64: decode it first'],
  [
    'the base64 of PEM, in lines',
    encode(pemOf(ed)).replace(/.{20}/g, '$&\n'),
    'is a PEM text in base64: decode it first',
  ],
  ['the base64 of PEM after a word', encode('key\n' + pemOf(ed)), 'is a PEM text in base64'],
  ['PEM on one line', pemOf(ed).replaceAll('\n', ''), 'without its line breaks'],
  ['PEM with spaces for line breaks', pemOf(ed).replaceAll('\n', ' '), 'without its line breaks'],
  ['PEM whose \\n are written twice', pemOf(ed).replaceAll('\n', '\\\\n'), 'damaged'],
  [
    'PEM whose line ends are spaces',
    pemOf(ed).replaceAll('\n', ' ').replaceAll('PRIVATE KEY-----', 'PRIVATE KEY----'),
    'private key',
  ],
] as const)
  test(`${what} instead of a path is refused, and is not repeated in the message`, () =>
    refused('ERR_SIGNEDIMP_KEY', () => loadSigner(text, { env }), words, text))

// What is no private key.
for (const [what, text, words] of [
  ['nothing', '-----BEGIN ', 'damaged'],
  [
    'a public key',
    publicKeyPem(toTrustedKey(rsa)),
    /holds a public key where a private key belongs: give the file without \.pub/,
  ],
  [
    'a public key of PKCS#1',
    String(createPublicKey(rsa).export({ type: 'pkcs1', format: 'pem' })),
    'public key where',
  ],
  [
    'two private keys',
    pemOf(ed) + pemOf(ec),
    'must hold one private key, but holds: PRIVATE KEY, PRIVATE KEY',
  ],
  ['an OpenSSH key', toPem('OPENSSH PRIVATE KEY', Buffer.from('openssh-key-v1\0')), 'OpenSSH'],
  ['a PGP key', toPem('PGP PRIVATE KEY BLOCK', Buffer.alloc(40)), 'PGP PRIVATE KEY BLOCK'],
  ['a key whose end is lost', pemOf(rsa).slice(0, 500), 'damaged'],
  ['an encrypted key whose end is lost', encryptedPemOf(rsa).slice(0, 500), 'damaged'],
  ['a key with another end', pemOf(ed).replace('END PRIVATE', 'END PUBLIC'), 'damaged'],
  ['an empty key', toPem('PRIVATE KEY', Buffer.alloc(0)), 'damaged'],
  ['zeros', toPem('PRIVATE KEY', Buffer.alloc(100)), 'damaged'],
  ['zeros for an encrypted key', toPem('ENCRYPTED PRIVATE KEY', Buffer.alloc(100)), 'damaged'],
  ['nothing for an encrypted key', toPem('ENCRYPTED PRIVATE KEY', Buffer.alloc(0)), 'damaged'],
  [
    'a plain key that says it is encrypted',
    pemOf(ed).replaceAll('PRIVATE', 'ENCRYPTED PRIVATE'),
    'damaged',
  ],
  [
    'a key that lacks its last bytes',
    toPem('PRIVATE KEY', pemBytes(pemBlocks(pemOf(rsa))[0]!).subarray(0, -9)),
    'damaged',
  ],
  [
    'an encrypted key that lacks its last bytes',
    toPem('ENCRYPTED PRIVATE KEY', pemBytes(pemBlocks(encryptedPemOf(rsa))[0]!).subarray(0, -16)),
    'damaged',
  ],
  ['an old encrypted key that lacks a byte', shortened(encryptedPemOf(ec, 'sec1')), 'damaged'],
] as const)
  test(`a file with ${what} is refused as what it is`, () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'k'), text)
      const load = () => loadSigner('k', { cwd: folder, password, env })
      await refused('ERR_SIGNEDIMP_KEY', load, words, text)
      await refused('ERR_SIGNEDIMP_KEY', load, /^ERR_SIGNEDIMP_KEY k: /)
    }))

for (const [what, text] of [
  ['empty', ''],
  ['UTF-16', Buffer.from(pemOf(ed), 'utf16le')],
  ['JSON of something else', '{"name":"shop"}'],
  ['zeros', Buffer.alloc(100)],
  ['DER with something behind it', Buffer.concat([derOf(ed), Buffer.of(0)])],
  ['DER that is cut short', derOf(ed).subarray(0, -1)],
  ['DER of something else', Buffer.from('3006020101020102', 'hex')],
] as const)
  test(`a file that is ${what} is refused, with what belongs there`, () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'k'), text)
      await refused(
        'ERR_SIGNEDIMP_KEY',
        () => loadSigner(join(folder, 'k'), { env }),
        /no key that is known: a private key belongs here, in PEM, DER, PKCS#12 or a JWK/,
      )
    }))

/** Old encrypted PEM with one byte less at its end. */
function shortened(pem: string): string {
  const [body] = /(?<=\n\n)[^-]+/.exec(pem)!
  const bytes = Buffer.from(body, 'base64')
  return pem.replace(body, `${bytes.subarray(0, -1).toString('base64')}\n`)
}

test('a damaged file is refused, or is another key that signs for itself: no signature is made that does not verify', async () => {
  const outcomes = new Map<string, number>()
  for (const pem of [pemOf(ec), pemOf(ed), encryptedPemOf(ed), encryptedPemOf(ec)]) {
    const [block] = pemBlocks(pem)
    const bytes = pemBytes(block!)
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 0x11 : byte))
      const outcome = await signOrCode(toPem(block!.label, damaged))
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
  }
  assert.equal([...outcomes.keys()].sort(), [
    'ERR_SIGNEDIMP_KEY',
    'ERR_SIGNEDIMP_PASSWORD',
    'verified',
  ])
  assert.ok(
    outcomes.get('ERR_SIGNEDIMP_KEY')! > 100,
    `only ${outcomes.get('ERR_SIGNEDIMP_KEY')} are refused`,
  )
})

async function signOrCode(pem: string): Promise<string> {
  try {
    const { key, sign } = await loadSigner(pem, { password, env })
    return (await nodeCrypto.verify(key, await sign(message), message))
      ? 'verified'
      : 'not verified'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

test('a private key whose public half is another’s makes no signature', async () => {
  const [mine, other] = await Promise.all([generateKey('ecdsa-p256'), generateKey('ecdsa-p256')])
  const jwk = { ...mine.export({ format: 'jwk' }), d: other.export({ format: 'jwk' }).d! }
  let mixed: KeyObject
  try {
    mixed = createPrivateKey({ key: jwk, format: 'jwk' })
  } catch {
    // Later versions of Node notice it themselves; bytes do for them.
    const sec1 = mine.export({ type: 'sec1', format: 'der' })
    const at = sec1.indexOf(Buffer.from(mine.export({ format: 'jwk' }).d!, 'base64url'))
    Buffer.from(jwk.d, 'base64url').copy(sec1, at)
    mixed = createPrivateKey({ key: sec1, format: 'der', type: 'sec1' })
  }
  const { sign } = await loadSigner(mixed)
  await refused(
    'ERR_SIGNEDIMP_KEY',
    () => sign(message),
    /"key" made a signature that its public half does not verify/,
  )
})

test('a private RSA key with a damaged prime is refused when it signs, in our words', async () => {
  const jwk = rsa.export({ format: 'jwk' })
  const prime = Buffer.from(jwk.p!, 'base64url')
  prime[prime.length - 1]! ^= 1
  const even = createPrivateKey({
    key: { ...jwk, p: prime.toString('base64url') },
    format: 'jwk',
  })
  const { sign } = await loadSigner(even)
  await refused(
    'ERR_SIGNEDIMP_KEY',
    () => sign(message),
    /"key" (is a private key that cannot sign|made a signature)/,
  )
})

// Keys in memory.
test('a public or a secret KeyObject is refused where a private one belongs', async () => {
  await refused(
    'ERR_SIGNEDIMP_KEY',
    () => loadSigner(createPublicKey(ed)),
    '"key" is a public key where a private key belongs',
  )
  await refused(
    'ERR_SIGNEDIMP_KEY',
    () => loadSigner(createSecretKey(Buffer.alloc(32)), { option: 'k' }),
    '"k" is a secret key',
  )
})

for (const kind of kinds)
  test(`signatures by ${kind} are new bytes of the scheme's own form`, async () => {
    const { key, sign } = await loadSigner(await madeKey(kind))
    const signature = await sign(message)
    assert.is(Object.getPrototypeOf(signature), Uint8Array.prototype)
    const lengths = { 'rsa-pss': [384, 384], ed25519: [64, 64], 'ecdsa-p256': [68, 72] }[kind] as [
      number,
      number,
    ]
    assert.ok(
      signature.length >= lengths[0] - 4 && signature.length <= lengths[1],
      `${signature.length}`,
    )
    assert.is(
      key.scheme,
      { 'rsa-pss': 'pss-sha256', ed25519: 'ed25519', 'ecdsa-p256': 'ecdsa-p256-sha256' }[kind],
    )
  })

for (const [what, make] of [
  ['RSA of 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1024 })],
  ['RSA with e = 3', () => generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })],
  ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['Ed448', () => generateKeyPairSync('ed448')],
  ['X25519', () => generateKeyPairSync('x25519')],
] as const)
  test(`a private key of ${what} is refused before anything is signed`, async () => {
    const { privateKey } = make()
    await refused(
      'ERR_SIGNEDIMP_KEY',
      () => loadSigner(privateKey),
      /^ERR_SIGNEDIMP_KEY "key" is a/,
    )
    await refused(
      'ERR_SIGNEDIMP_KEY',
      () => loadSigner(pemOf(privateKey), { env }),
      'use',
      pemOf(privateKey),
    )
  })

test.run()
