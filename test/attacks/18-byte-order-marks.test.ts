import { signText, storeManifest } from '../../src/manifest/sign.ts'
import { attack, attacks } from '../support/attack.ts'
import { bytesOf, expect, newPublisher, signed, textOf, verdict, type Publisher } from './signed.ts'

const bom = Buffer.from('\ufeff')

const store = async (text: Buffer, by: Publisher) =>
  storeManifest([await signText(new Uint8Array(text), by.signer)], new Uint8Array(text))

const manifests: Record<string, (by: Publisher) => Promise<Uint8Array>> = {
  'UTF-8 mark before all': async (by) => Buffer.concat([bom, await signed(textOf(), by)]),
  'UTF-8 mark in the signed text': (by) => store(Buffer.concat([bom, bytesOf(textOf())]), by),
  'UTF-16 text': (by) => store(Buffer.from('\ufeff' + textOf(), 'utf16le'), by),
  'all in UTF-16': async (by) =>
    Buffer.from('\ufeff' + Buffer.from(await signed(textOf(), by)).toString(), 'utf16le'),
  'UTF-7': (by) => store(Buffer.from(textOf().replaceAll(' ', '+ACA-')), by),
  'bytes that are not UTF-8': (by) =>
    store(Buffer.concat([bytesOf(textOf()), Buffer.of(0xff)]), by),
  'a long form of a slash': (by) =>
    store(Buffer.concat([bytesOf(textOf()), Buffer.of(0xc0, 0xaf)]), by),
  'a surrogate in UTF-8': (by) =>
    store(Buffer.concat([bytesOf(textOf()), Buffer.of(0xed, 0xa0, 0x80)]), by),
}

attack(
  18,
  'byte order marks and other encodings',
  { variants: Object.keys(manifests), quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const bytes = await manifests[variant]!(publisher)
    return expect(await verdict(bytes, { keys: [publisher.key] }), 'MANIFEST_INVALID')
  },
)

attacks.run()
