import { decode } from './der.js'
import { toPem } from './pem.js'

/** Forms of key files that are no PEM: a JSON Web Key, the original's numbers, a key store. */
export type OtherForm = 'jwk' | 'python' | 'pkcs12'

/** What a file is that is neither PEM nor DER of a single key, as far as its beginning tells. Takes one character a byte. */
export function otherFormOf(text: string): OtherForm | undefined {
  if (/^\s*\{/.test(text) && text.includes('"kty"')) return 'jwk'
  if (/^\s*(\w+\s*=\s*)?RSAKey\s*\(/.test(text)) return 'python'
  if (labelOf(text) === 'PKCS12' || text.startsWith(endless)) return 'pkcs12'
  return undefined
}

/** How a PKCS#12 file begins whose length stands nowhere, as BER allows: SEQUENCE, version 3. */
const endless = '\x30\x80\x02\x01\x03'

/** DER as the PEM that says what it is; any other text as it is. Takes one character a byte. */
export function asPem(text: string): string {
  const label = labelOf(text)
  return label ? toPem(label, Buffer.from(text, 'latin1')) : text
}

/** PEM's name for what DER holds, from the kinds of its values: `v` and a number for small ones, else their tags. */
function labelOf(text: string): string | undefined {
  const shape = shapeOf(text)
  return shape && shapes.find(([pattern]) => pattern.test(shape))?.[1]
}

function shapeOf(text: string): string | undefined {
  if (!text.startsWith('\x30')) return undefined
  try {
    const [outer, ...others] = decode(Buffer.from(text, 'latin1'))
    if (others.length > 0) return undefined
    const values = decode(outer!.content).map(({ tag, content }) =>
      tag === 2 && content.length === 1 ? `v${content[0]}` : tag.toString(16),
    )
    return values.join(' ')
  } catch {
    return undefined
  }
}

const shapes: [RegExp, string][] = [
  // RFC 5958 §2 and §3.
  [/^v[01] 30 4( a0)?( 81)?$/, 'PRIVATE KEY'],
  [/^30 4$/, 'ENCRYPTED PRIVATE KEY'],
  // RFC 8017 §A.1.2, RFC 5915 §3.
  [/^v0( 2| v\d+){8}$/, 'RSA PRIVATE KEY'],
  [/^v1 4( a0)?( a1)?$/, 'EC PRIVATE KEY'],
  // RFC 5280 §4.1, RFC 7292 §4.
  [/^30 3$/, 'PUBLIC KEY'],
  [/^30 30 3$/, 'CERTIFICATE'],
  [/^v3 30( 30)?$/, 'PKCS12'],
]
