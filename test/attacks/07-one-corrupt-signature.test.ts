import { storeManifest } from '../../src/manifest/sign.ts'
import { attack, attacks } from '../support/attack.ts'
import {
  bytesOf,
  expect,
  keyAlgorithms,
  newPublisher,
  signaturesOf,
  textOf,
  verdict,
} from './signed.ts'

const variants = keyAlgorithms.flatMap((name) => [`${name} first`, `${name} last`])

attack(
  7,
  'one good and one corrupt signature, both of trusted keys',
  { variants, quick: true },
  async (variant) => {
    const [algorithm, place] = variant.split(' ') as [(typeof keyAlgorithms)[number], string]
    const [good, bad] = [await newPublisher(), await newPublisher(algorithm)]
    const [honest, corrupt] = await signaturesOf(textOf(), good, bad)
    corrupt!.signature[20]! ^= 1
    const signatures = place === 'first' ? [corrupt!, honest!] : [honest!, corrupt!]
    const bytes = storeManifest(signatures, bytesOf(textOf()))
    return expect(await verdict(bytes, { keys: [good.key, bad.key] }), 'SIGNATURE')
  },
)

attacks.run()
