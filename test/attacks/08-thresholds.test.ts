import { createPublicKey, type KeyObject } from 'node:crypto'
import * as assert from 'uvu/assert'
import type { KeyAlgorithm } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { attack, attacks } from '../support/attack.ts'
import {
  expect,
  keyAlgorithms,
  lineOf,
  newPublisher,
  signed,
  signaturesOf,
  textOf,
  verdict,
  withHeader,
} from './signed.ts'

// One key that would count as two, and a manifest that is kept for ever: 8, 9, 29, 122.

attack(
  8,
  'one signature listed twice',
  { variants: keyAlgorithms, quick: true },
  async (variant) => {
    const algorithm = keyAlgorithms.find((name) => name === variant)!
    const [one, two] = [await newPublisher(algorithm), await newPublisher(algorithm)]
    const keys = [one.key, two.key]
    const text = textOf()
    const [own] = await signaturesOf(text, one)
    const line = lineOf(own!.fingerprint, own!.scheme, own!.signature)
    assert.is(await verdict(await signed(text, one, two), { keys, threshold: 2 }), 'ok accepted')
    assert.is(await verdict(withHeader(line, text), { keys, threshold: 1 }), 'ok accepted')
    const outcome = await verdict(withHeader(line + line, text), { keys, threshold: 2 })
    assert.match(outcome, /^refused ERR_SIGNEDIMP_(SIGNATURE|MANIFEST_INVALID)$/)
    return outcome
  },
)

/** The point of a P-256 key, compressed. */
function compressed(key: KeyObject): KeyObject {
  const { x, y } = key.export({ format: 'jwk' })
  const [head, last] = [Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url').at(-1)!]
  const front = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex')
  const der = Buffer.concat([front, Buffer.from([2 + (last & 1)]), head])
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}

/** An RSA key whose algorithm identifier says RSASSA-PSS instead of RSA. */
function asPss(key: KeyObject): KeyObject {
  const der = key.export({ format: 'der', type: 'spki' })
  const plain = Buffer.from('300d06092a864886f70d0101010500', 'hex')
  const at = der.indexOf(plain)
  const tail = der.subarray(at + plain.length)
  const pss = Buffer.from('300b06092a864886f70d01010a', 'hex')
  const length = pss.length + tail.length
  const front = Buffer.from([0x30, 0x82, length >> 8, length & 255])
  return createPublicKey({ key: Buffer.concat([front, pss, tail]), format: 'der', type: 'spki' })
}

const spellings: Record<string, [algorithm: KeyAlgorithm, respell: (key: KeyObject) => KeyObject]> =
  {
    'P-256, compressed and not': ['ecdsa-p256', compressed],
    'rsaEncryption and id-RSASSA-PSS': ['rsa-pss', asPss],
  }

for (const number of [9, 122])
  attack(
    number,
    'one key in two spellings',
    { variants: Object.keys(spellings), quick: true },
    async (variant) => {
      const [algorithm, respell] = spellings[variant]!
      const publisher = await newPublisher(algorithm)
      const plain = createPublicKey(publisher.privateKey)
      const other = respell(plain)
      const spell = (key: KeyObject) => key.export({ format: 'der', type: 'spki' })
      assert.not.ok(algorithm === 'rsa-pss' && spell(other).equals(spell(plain)))
      const keys = [publisher.key, toTrustedKey(other)]
      assert.is(keys[1]!.fingerprint, keys[0]!.fingerprint)
      const bytes = await signed(textOf(), publisher)
      assert.is(await verdict(bytes, { keys }), 'ok accepted')
      return expect(await verdict(bytes, { keys, threshold: 2 }), 'SIGNATURE')
    },
  )

const expiry = '2030-01-01T00:00:00Z'
/** What the clock says, and what becomes of a manifest that was good until then. */
const clocks: Record<string, [ms: number, outcome: string]> = {
  'a millisecond before': [-1, 'ok accepted'],
  'that very moment': [0, 'refused ERR_SIGNEDIMP_EXPIRED'],
  'years later': [1e12, 'refused ERR_SIGNEDIMP_EXPIRED'],
}

attack(
  29,
  'a manifest that is served for ever',
  { variants: Object.keys(clocks), quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const directives = ['# signedimp: 1', '# name: shop', `# expires: ${expiry}`]
    const bytes = await signed(textOf({ directives }), publisher)
    const [ms, wanted] = clocks[variant]!
    const outcome = await at(Date.parse(expiry) + ms, () =>
      verdict(bytes, { keys: [publisher.key] }),
    )
    assert.is(outcome, wanted)
    return outcome
  },
)

attack(29, 'a clock that is set back', { quick: true }, async () => {
  const publisher = await newPublisher()
  const directives = ['# signedimp: 1', '# name: shop', '# expires: 2020-01-01T00:00:00Z']
  const bytes = await signed(textOf({ directives }), publisher)
  const verdictAt = (time: number) => at(time, () => verdict(bytes, { keys: [publisher.key] }))
  assert.is(await verdictAt(Date.parse('2021-01-01')), 'refused ERR_SIGNEDIMP_EXPIRED')
  assert.is(await verdictAt(Date.parse('2019-01-01')), 'ok accepted')
  return 'documented limit: a page goes by the clock of its machine'
})

/** Does something at another time. */
async function at<T>(time: number, work: () => Promise<T>): Promise<T> {
  const { now } = Date
  Date.now = () => time
  try {
    return await work()
  } finally {
    Date.now = now
  }
}

attacks.run()
