import { createHash } from 'node:crypto'
import { attack, attacks } from '../support/attack.ts'
import { expect, file, newPublisher, signed, textOf, verdict } from './signed.ts'

const weak = ['md5', 'sha1', 'sha224', 'crc32', 'md5-sha1', 'sha3-256', 'ripemd160']
const variants = weak.flatMap((type) => [`${type}, the line edited`, `${type}, signed`])

attack(12, 'a weaker hash type', { variants, quick: true }, async (variant) => {
  const [type, how] = variant.split(', ') as [string, string]
  const publisher = await newPublisher()
  const length =
    type === 'crc32' ? 8 : createHash(type === 'md5-sha1' ? 'sha1' : type).digest('hex').length
  const downgraded = textOf({ hash: type, files: [file('a.js', 'a'.repeat(length))] })
  const trust = { keys: [publisher.key] }
  if (how === 'signed')
    return expect(await verdict(await signed(downgraded, publisher), trust), 'MANIFEST_INVALID')
  const honest = Buffer.from(
    await signed(textOf({ hash: 'sha512', files: [file('a.js', 'a'.repeat(128))] }), publisher),
  )
  const header = honest.subarray(0, honest.indexOf('\n\n') + 2)
  return expect(await verdict(Buffer.concat([header, Buffer.from(downgraded)]), trust), 'SIGNATURE')
})

attacks.run()
