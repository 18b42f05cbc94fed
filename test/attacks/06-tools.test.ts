import * as assert from 'uvu/assert'
import { join } from 'node:path'
import { serve } from '../../playground/server.ts'
import { storeManifest } from '../../src/manifest/sign.ts'
import { jsonOf, signedimp, signedimpBeside } from '../cli/run.ts'
import { attack, attacks } from '../support/attack.ts'
import { readFrom, sha256, writeInto } from '../tree/folder.ts'
import {
  bytesOf,
  expect,
  lineOf,
  newPublisher,
  signaturesOf,
  signed,
  textOf,
  withHeader,
  type Publisher,
} from './signed.ts'
import { manifest, only, outcomeOf, text, world, zip, type World } from './tools.ts'

// Attacks on manifests, against the command line as a process: what looks at folders, zip files and sites.

/** What each tool says that trusts a manifest: of a folder, a zip file, and a site. All must say the same. */
async function verdictOfTools(cwd: string, bytes: Uint8Array, flags: string[]): Promise<string> {
  writeInto(cwd, `dist/${manifest}`, bytes)
  zip(cwd)
  const site = await serve(join(cwd, 'dist'))
  const verdicts = new Set<string>()
  try {
    for (const args of [
      ['verify', 'dist'],
      ['verify', 'app.zip'],
      ['audit', site.url],
      ['graph', 'dist'],
      ['export', 'app.zip', '--as', 'integrity'],
    ])
      verdicts.add(outcomeOf(await signedimpBeside([...args, ...flags, '--json'], { cwd })))
  } finally {
    await site.close()
  }
  assert.is(verdicts.size, 1, [...verdicts].join())
  return [...verdicts][0]!
}

const both = ['--key', 'one.pub', '--key', 'two.pub']
const past = '# expires: 2001-01-01T00:00:00Z'

/** A line with a changed signature. */
async function lineWith(by: Publisher, change: (signature: Buffer) => Uint8Array): Promise<string> {
  const [own] = await signaturesOf(text(), by)
  return lineOf(own!.fingerprint, own!.scheme, change(Buffer.from(own!.signature)))
}

const same = (signature: Buffer) => signature
const flipped = (signature: Buffer) => Buffer.from(signature.map((byte, at) => byte ^ +(at === 9)))

interface Try {
  number: number
  make: (world: World) => Promise<Uint8Array>
  flags: string[]
  code: string
}

const tries: Record<string, Try> = {
  'an unknown key counts for nothing': {
    number: 6,
    make: async ({ one }) => signed(text(), await newPublisher(), one),
    flags: [...both, '--threshold', '2'],
    code: 'SIGNATURE',
  },
  'one of two signatures is wrong': {
    number: 7,
    make: async ({ one, two }) =>
      withHeader((await lineWith(one, same)) + (await lineWith(two, flipped)), text()),
    flags: both,
    code: 'SIGNATURE',
  },
  'one signature, twice': {
    number: 8,
    make: async ({ one }) => withHeader((await lineWith(one, same)).repeat(2), text()),
    flags: [...both, '--threshold', '2'],
    code: 'SIGNATURE',
  },
  'a weaker hash, edited': {
    number: 12,
    make: async ({ one }) =>
      storeManifest(await signaturesOf(text(), one), bytesOf(text().replace('sha256', 'md5'))),
    flags: only,
    code: 'SIGNATURE',
  },
  'a weaker hash, signed': {
    number: 12,
    make: async ({ one }) =>
      signed(textOf({ hash: 'md5', files: ['0cc175b9c0f1b6a831c399e269772661 a.js'] }), one),
    flags: only,
    code: 'MANIFEST_INVALID',
  },
  'a signature in another base64': {
    number: 26,
    make: async ({ one }) => withHeader((await lineWith(one, same)).replace(/\n$/, '=\n'), text()),
    flags: only,
    code: 'MANIFEST_INVALID',
  },
  'a hash in capitals': {
    number: 26,
    make: ({ one }) => signed(textOf({ files: [`${sha256('a').toUpperCase()} a.js`] }), one),
    flags: only,
    code: 'MANIFEST_INVALID',
  },
  'a signature of zeros': {
    number: 27,
    make: async ({ one }) => withHeader(await lineWith(one, () => Buffer.alloc(64)), text()),
    flags: only,
    code: 'SIGNATURE',
  },
  'a signature with a byte more': {
    number: 27,
    make: async ({ one }) =>
      withHeader(await lineWith(one, (own) => Buffer.concat([own, Buffer.of(0)])), text()),
    flags: only,
    code: 'SIGNATURE',
  },
  'an older build': {
    number: 28,
    make: ({ one }) => signed(text('# build: 7'), one),
    flags: [...only, '--build', '8'],
    code: 'ROLLBACK',
  },
  'no build where one is asked for': {
    number: 28,
    make: ({ one }) => signed(text(), one),
    flags: [...only, '--build', '8'],
    code: 'ROLLBACK',
  },
  'a release that has ended': {
    number: 29,
    make: ({ one }) => signed(text(past), one),
    flags: only,
    code: 'EXPIRED',
  },
  'a build beyond what can be compared': {
    number: 30,
    make: ({ one }) => signed(text('# build: 9007199254740992'), one),
    flags: only,
    code: 'MANIFEST_INVALID',
  },
  'a manifest of another app': {
    number: 32,
    make: ({ one }) => signed(text().replace('name: shop', 'name: bank'), one),
    flags: [...only, '--name', 'shop'],
    code: 'NAME',
  },
}

for (const number of new Set(Object.values(tries).map((one) => one.number)))
  attack(
    number,
    'the tools, on a folder, a zip file and a site',
    { variants: Object.keys(tries).filter((name) => tries[name]!.number === number) },
    async (variant) => {
      const { make, flags, code } = tries[variant]!
      const made = await world()
      const outcome = await verdictOfTools(made.cwd, await make(made), flags)
      // It shows what is refused, and does not say that it is right.
      const shown = jsonOf(signedimp(['show', 'dist', '--json'], made))
      assert.is.not(shown.verified, true)
      return expect(outcome, code)
    },
  )

attack(6, 'what the tools accept, of the same folder', {}, async () => {
  const { cwd, one } = await world()
  const bytes = await signed(text('# build: 8'), await newPublisher(), one)
  assert.is(
    await verdictOfTools(cwd, bytes, [...both, '--build', '8', '--name', 'shop']),
    'ok status 0',
  )
  return 'ok a line of an unknown key does no harm'
})

for (const number of [9, 122])
  attack(number, 'one key in two files, to the tools', {}, async () => {
    const { cwd, one } = await world()
    const pem = readFrom(cwd, 'one.pub')
    writeInto(cwd, 'again.pub', `another text\n${pem.replaceAll('\n', '\r\n')}`)
    const flags = [...only, '--key', 'again.pub', '--threshold', '2']
    const outcome = await verdictOfTools(cwd, await signed(text(), one), flags)
    assert.match(outcome, /"threshold" is 2, more than the number of different keys, 1/)
    return 'refused as a mistake: there are not so many keys'
  })

attacks.run()
