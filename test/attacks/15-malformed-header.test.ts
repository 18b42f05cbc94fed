import { attack, attacks } from '../support/attack.ts'
import {
  expect,
  lineOf,
  newPublisher,
  signaturesOf,
  textOf,
  verdict,
  withHeader,
} from './signed.ts'

const fingerprint = 'a'.repeat(64)
const lines: Record<string, string> = {
  'one word': 'hello',
  'no signature': fingerprint,
  'an empty signature': `${fingerprint} `,
  'no scheme': `${fingerprint} ${btoa('no colon')}`,
  'an empty scheme': `${fingerprint} ${btoa(':x')}`,
  'a scheme with other signs': `${fingerprint} ${btoa('a b:x')}`,
  'no base64': `${fingerprint} !!!!`,
  'three words': `${fingerprint} ${btoa('a:x')} x`,
  'no fingerprint': ` ${btoa('a:x')}`,
  'a fingerprint that is none': `${'g'.repeat(64)} ${btoa('a:x')}`,
  'characters outside of ASCII': `${fingerprint} ${btoa('a:x')}\u00e9`,
  NUL: `${fingerprint}\0${btoa('a:x')}`,
}

attack(
  15,
  'a malformed line in the header',
  { variants: Object.keys(lines), quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const [{ fingerprint: own, scheme, signature }] = (await signaturesOf(textOf(), publisher)) as [
      never,
    ]
    const good = lineOf(own, scheme, signature)
    const trust = { keys: [publisher.key] }
    // Whoever's line it is, and wherever it stands.
    for (const header of [
      `${lines[variant]}\n`,
      `${lines[variant]}\n${good}`,
      `${good}${lines[variant]}\n`,
    ])
      expect(await verdict(withHeader(header, textOf()), trust), 'MANIFEST_INVALID')
    return 'refused ERR_SIGNEDIMP_MANIFEST_INVALID'
  },
)

attacks.run()
