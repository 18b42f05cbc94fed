import * as assert from 'uvu/assert'
import { attack, attacks } from '../support/attack.ts'
import { expect, newPublisher, signed, textOf, verdict } from './signed.ts'

const buildText = (build: string) =>
  textOf({ directives: ['# signedimp: 1', '# name: shop', `# build: ${build}`] })

attack(30, 'the highest build there is', { quick: true }, async () => {
  const publisher = await newPublisher()
  const trust = { keys: [publisher.key], build: 41 }
  const high = await signed(buildText(String(Number.MAX_SAFE_INTEGER)), publisher)
  assert.is(await verdict(high, trust), 'ok accepted')
  // Unless a build asks for that, nothing remembers it: the page's own HTML says which build it needs. What a memory makes of
  // it is in test/page/memory.test.ts.
  assert.is(await verdict(await signed(buildText('42'), publisher), trust), 'ok accepted')
  return 'ok by default no client keeps a build that could lock it out'
})

attack(
  30,
  'a build beyond what can be compared',
  {
    variants: [
      '9007199254740992',
      '1e9',
      '99999999999999999999',
      'Infinity',
      'NaN',
      '-1',
      '041',
      '0x29',
      '41.0',
      '',
    ],
    quick: true,
  },
  async (variant) => {
    const publisher = await newPublisher()
    const bytes = await signed(buildText(variant), publisher)
    return expect(await verdict(bytes, { keys: [publisher.key] }), 'MANIFEST_INVALID')
  },
)

attacks.run()
