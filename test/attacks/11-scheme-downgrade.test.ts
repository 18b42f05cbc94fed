import { constants, createHash, privateEncrypt, sign } from 'node:crypto'
import { attack, attacks } from '../support/attack.ts'
import { bytesOf, expect, lineOf, knownPublisher, textOf, verdict, withHeader } from './signed.ts'

const schemes = [
  'raw',
  'pss-sha1',
  'pss-md5',
  'pkcs1-sha256',
  'PSS-SHA256',
  'pss_sha256',
  'pss-sha256 ',
  '',
]

attack(
  11,
  'a weaker scheme, chosen by the signature',
  { variants: schemes.map((name) => `"${name}:"`), quick: true },
  async (variant) => {
    const scheme = variant.slice(1, -2)
    const { key, privateKey } = await knownPublisher('rsa-pss')
    const text = bytesOf(textOf())
    // What the original took for a signature under each: the encrypted digest, or PSS with SHA-1 and a salt of 8.
    const signature =
      scheme === 'raw'
        ? privateEncrypt(privateKey, createHash('md5').update(text).digest())
        : sign(scheme === 'pss-sha1' ? 'sha1' : 'sha256', text, {
            key: privateKey,
            padding: constants.RSA_PKCS1_PSS_PADDING,
            saltLength: scheme === 'pss-sha1' ? 8 : 32,
          })
    const bytes = withHeader(lineOf(key.fingerprint, scheme, signature), textOf())
    const code = /^[a-z\d-]+$/.test(scheme) ? 'SIGNATURE' : 'MANIFEST_INVALID'
    return expect(await verdict(bytes, { keys: [key] }), code)
  },
)

attacks.run()
