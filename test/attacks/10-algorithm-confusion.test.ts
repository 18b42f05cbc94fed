import { constants, createHmac, createPrivateKey, sign, type KeyObject } from 'node:crypto'
import { attack, attacks } from '../support/attack.ts'
import {
  bytesOf,
  expect,
  lineOf,
  knownPublisher,
  textOf,
  verdict,
  withHeader,
  type Publisher,
} from './signed.ts'

const text = bytesOf(textOf())
const rsa = (key: KeyObject, hash: string, padding: number, saltLength?: number) =>
  sign(hash, text, { key, padding, ...(saltLength !== undefined && { saltLength }) })
const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING: pss } = constants

/** What an attacker, or a publisher with a wrong tool, puts behind a trusted fingerprint. */
const lines: Record<
  string,
  [
    by: 'rsa-pss' | 'ed25519' | 'ecdsa-p256',
    make: (by: Publisher) => [scheme: string, signature: Uint8Array],
  ]
> = {
  'no algorithm': ['ed25519', () => ['none', new Uint8Array()]],
  'no signature': ['ed25519', () => ['ed25519', new Uint8Array()]],
  'an HMAC under the public key': [
    'ed25519',
    ({ key }) => [
      'hs256',
      createHmac('sha256', Buffer.from(key.spki, 'base64')).update(text).digest(),
    ],
  ],
  'an HMAC under the public key, named as its scheme': [
    'rsa-pss',
    ({ key }) => [
      'pss-sha256',
      createHmac('sha256', Buffer.from(key.spki, 'base64')).update(text).digest(),
    ],
  ],
  'a good signature under another scheme': [
    'ed25519',
    ({ privateKey }) => ['pss-sha256', sign(null, text, privateKey)],
  ],
  'a good signature under a longer scheme of the same key': [
    'rsa-pss',
    ({ privateKey }) => ['pss-sha512', rsa(privateKey, 'sha256', pss, 32)],
  ],
  'another hash, honestly named': [
    'rsa-pss',
    ({ privateKey }) => ['pss-sha512', rsa(privateKey, 'sha512', pss, 64)],
  ],
  'another hash, named as its scheme': [
    'rsa-pss',
    ({ privateKey }) => ['pss-sha256', rsa(privateKey, 'sha1', pss, 20)],
  ],
  'another salt length': [
    'rsa-pss',
    ({ privateKey }) => ['pss-sha256', rsa(privateKey, 'sha256', pss, 0)],
  ],
  'PKCS#1 v1.5': [
    'rsa-pss',
    ({ privateKey }) => ['pss-sha256', rsa(privateKey, 'sha256', RSA_PKCS1_PADDING)],
  ],
  'a name of the object prototype': [
    'ed25519',
    ({ privateKey }) => ['constructor', sign(null, text, privateKey)],
  ],
  'ECDSA as r || s': [
    'ecdsa-p256',
    ({ privateKey }) => [
      'ecdsa-p256-sha256',
      sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    ],
  ],
  'ECDSA with another hash': [
    'ecdsa-p256',
    ({ privateKey }) => ['ecdsa-p256-sha256', sign('sha1', text, privateKey)],
  ],
  'another key of the same kind': [
    'ed25519',
    () => [
      'ed25519',
      sign(
        null,
        text,
        createPrivateKey({
          key: {
            kty: 'OKP',
            crv: 'Ed25519',
            d: 'A'.repeat(43),
            x: 'O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik',
          },
          format: 'jwk',
        }),
      ),
    ],
  ],
}

attack(
  10,
  'algorithm confusion',
  { variants: Object.keys(lines), quick: true },
  async (variant) => {
    const [algorithm, make] = lines[variant]!
    const publisher = await knownPublisher(algorithm)
    const { key } = publisher
    const [scheme, signature] = make(publisher)
    const bytes = withHeader(lineOf(key.fingerprint, scheme, signature), textOf())
    return expect(await verdict(bytes, { keys: [key] }), 'SIGNATURE')
  },
)

attacks.run()
