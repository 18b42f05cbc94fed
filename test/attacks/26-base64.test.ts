import { attack, attacks } from '../support/attack.ts'
import {
  expect,
  lineOf,
  knownPublisher,
  signaturesOf,
  textOf,
  verdict,
  withHeader,
} from './signed.ts'
import * as assert from 'uvu/assert'

const spellings: Record<string, (base64: string) => string> = {
  'padding missing': (text) => text.replace(/=+$/, ''),
  'padding added': (text) => text + '=',
  'four signs of padding': (text) => text + '====',
  'stray bits at the end': (text) =>
    text.replace(/(.)(=+)$/, (_, last: string, pad: string) => next(last) + pad),
  'the alphabet for URLs': (text) => '-_' + text.slice(2),
  'the alphabet for URLs, throughout': (text) =>
    text.replaceAll('+', '-').replaceAll('/', '_') + '-',
  'a space inside': (text) => text.slice(0, 8) + ' ' + text.slice(8),
  'a tab inside': (text) => text.slice(0, 8) + '\t' + text.slice(8),
  'a form feed inside': (text) => text.slice(0, 8) + '\f' + text.slice(8),
  'a carriage return at the end': (text) => text + '\r',
  hexadecimal: (text) => Buffer.from(text, 'base64').toString('hex'),
  'percent escapes': (text) => text.replace('=', '%3D'),
}

const next = (sign: string): string => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  return alphabet[alphabet.indexOf(sign) + 1]!
}

attack(
  26,
  'another spelling of the same signature',
  { variants: Object.keys(spellings), quick: true },
  async (variant) => {
    const publisher = await knownPublisher('rsa-pss')
    const [{ fingerprint, scheme, signature }] = (await signaturesOf(textOf(), publisher)) as [
      never,
    ]
    const line = lineOf(fingerprint, scheme, signature)
    const [, encoded] = line.trim().split(' ') as [string, string]
    const other = spellings[variant]!(encoded)
    assert.is.not(other, encoded)
    const trust = { keys: [publisher.key] }
    return expect(
      await verdict(withHeader(`${fingerprint} ${other}\n`, textOf()), trust),
      'MANIFEST_INVALID',
    )
  },
)

attack(
  26,
  'hashes in other letters',
  { variants: ['capitals', 'mixed', 'base64', '0x'], quick: true },
  async (variant) => {
    const publisher = await knownPublisher('rsa-pss')
    const digest = 'abcdef0123456789'.repeat(4)
    const spelled = {
      capitals: digest.toUpperCase(),
      mixed: 'A' + digest.slice(1),
      base64: Buffer.from(digest, 'hex').toString('base64'),
      '0x': '0x' + digest.slice(2),
    }[variant]!
    const bytes = await (
      await import('./signed.ts')
    ).signed(textOf({ files: [`${spelled} a.js`] }), publisher)
    return expect(await verdict(bytes, { keys: [publisher.key] }), 'MANIFEST_INVALID')
  },
)

attacks.run()
