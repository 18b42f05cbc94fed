import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { signDirectory } from 'signedimp'
import { jsonOf, signedimp } from '../cli/run.ts'
import { addKey } from '../cli/workplace.ts'
import { attack, attacks } from '../support/attack.ts'
import { scratchFolder } from '../support/processes.ts'
import { addPageManifest, newSigner, readFrom, sha256, writeInto } from '../tree/folder.ts'
import { expect, file, textOf } from './signed.ts'

// The signer has the manifest of its last release, and gets from a build machine, which somebody else controls, the next one.

const in30Days = new Date(Date.now() + 30 * 86_400_000).toISOString().replace(/\.\d+/, '')
const digest = sha256('a')
const listed = [file('a.js', digest)]

/** A signer's machine: its key, and the manifest of its last release, of build 7. */
async function machine() {
  const cwd = scratchFolder()
  await addKey(cwd, 'release.pem')
  await addKey(cwd, 'other.pem')
  writeInto(cwd, 'last/a.js', 'a')
  const sign = (key: string, name: string) =>
    signedimp(
      ['sign', 'last', '--key', key, '--name', name, '--build', '7', '--manifest', `${key}.txt`],
      { cwd },
    )
  assert.is(sign('release.pem', 'shop').status, 0)
  return cwd
}

interface Sent {
  directives?: string[]
  files?: string[]
  /** Files beside the manifest. */
  beside?: (dir: string) => Promise<unknown>
}

/** What the machine sent, unsigned. */
async function send(cwd: string, { directives = [], files = listed, beside }: Sent): Promise<void> {
  mkdirSync(join(cwd, 'sent'))
  writeInto(cwd, 'sent/a.js', 'a')
  await beside?.(join(cwd, 'sent'))
  const text = textOf({ directives: ['# signedimp: 1', ...directives], files })
  writeFileSync(join(cwd, 'sent/signedimp-manifest.txt'), `\n${text}`)
}

const expiring = (build: number | string, name = 'shop'): string[] => [
  `# name: ${name}`,
  `# build: ${build}`,
  `# expires: ${in30Days}`,
]

const sinceLast = ['--since', 'last/release.pem.txt']

/** What the signer's command says: the code of its refusal. */
function outcomeOf(cwd: string, flags: string[] = sinceLast): string {
  const args = ['sign', 'sent', '--detached', '--key', 'release.pem', ...flags]
  const result = signedimp([...args, '--json'], { cwd })
  const { error, signatures } = jsonOf(result)
  if (error && result.status !== 1) throw new Error(`status ${result.status}: ${error.message}`)
  return error ? `refused ${error.code}` : `ok signed ${signatures.length}`
}

attack(134, 'what a signer expects is signed', {}, async () => {
  const cwd = await machine()
  await send(cwd, { directives: expiring(8) })
  assert.is(outcomeOf(cwd), 'ok signed 1')
  assert.is(outcomeOf(cwd, ['--first', '--name', 'shop']), 'ok signed 1')
  return 'ok it rises, expires, and has the name of the last one'
})

const sent: Record<string, [code: string, sent: Sent, flags?: string[]]> = {
  'another name': ['NAME', { directives: expiring(8, 'bank') }],
  'another name, first': [
    'NAME',
    { directives: expiring(8, 'bank') },
    ['--first', '--name', 'shop'],
  ],
  'a name that looks like it': ['NAME', { directives: expiring(8, 'ѕhop') }],
  'the build of the last one': ['RELEASE', { directives: expiring(7) }],
  'a lower build': ['RELEASE', { directives: expiring(6) }],
  'the highest build': ['RELEASE', { directives: expiring(2 ** 53 - 1) }],
  'the highest build, first': [
    'RELEASE',
    { directives: expiring(2 ** 53 - 1) },
    ['--first', '--name', 'shop'],
  ],
  'a build beyond all numbers': ['MANIFEST_INVALID', { directives: expiring('9007199254740992') }],
  'a build that rises by more than allowed': [
    'RELEASE',
    { directives: expiring(10) },
    [...sinceLast, '--max-step', '2'],
  ],
  'no build': ['RELEASE', { directives: ['# name: shop', `# expires: ${in30Days}`] }],
  'no expiry': ['RELEASE', { directives: ['# name: shop', '# build: 8'] }],
  'an expiry in the far future': [
    'RELEASE',
    { directives: ['# name: shop', '# build: 8', '# expires: 9999-12-31T23:59:59Z'] },
  ],
  'an expiry later than allowed': [
    'RELEASE',
    { directives: expiring(8) },
    [...sinceLast, '--max-days', '29'],
  ],
  'an expiry that is past': [
    'EXPIRED',
    { directives: ['# name: shop', '# build: 8', '# expires: 2001-01-01T00:00:00Z'] },
  ],
  'hashes of another type, so that nobody sees what changed': [
    'RELEASE',
    { directives: expiring(8), files: [] },
  ],
  'a page manifest of files that the manifest does not list': [
    'RELEASE',
    {
      directives: expiring(8),
      beside: async (dir) => {
        writeInto(dir, 'evil.js', 'evil()')
        await addPageManifest(dir, await newSigner(), ['evil.js'], {
          build: 8,
          expires: in30Days,
        })
      },
    },
  ],
  'a page manifest that lists a file otherwise': [
    'RELEASE',
    {
      directives: expiring(8),
      beside: async (dir) => {
        writeInto(dir, 'a.js', 'evil()')
        await addPageManifest(dir, await newSigner(), ['a.js'], { build: 8, expires: in30Days })
      },
    },
  ],
  'a page manifest that never expires': [
    'RELEASE',
    {
      directives: expiring(8),
      beside: async (dir) => addPageManifest(dir, await newSigner(), ['a.js'], { build: 8 }),
    },
  ],
  'a page manifest of another app': [
    'RELEASE',
    {
      directives: expiring(8),
      beside: async (dir) =>
        addPageManifest(dir, await newSigner(), ['a.js'], {
          build: 8,
          name: 'bank',
          expires: in30Days,
        }),
    },
  ],
  'a text that is no manifest': ['MANIFEST_INVALID', { directives: ['# name: shop', 'pay: 1000'] }],
}

attack(134, 'blind signing', { variants: Object.keys(sent) }, async (variant) => {
  const [code, what, flags] = sent[variant]!
  const cwd = await machine()
  await send(cwd, what)
  if (variant.startsWith('hashes')) {
    const path = join(cwd, 'sent/signedimp-manifest.txt')
    const line = file('a.js', 'ab'.repeat(64))
    writeFileSync(
      path,
      `\n${textOf({ hash: 'sha512', directives: ['# signedimp: 1', ...expiring(8)], files: [line] })}`,
    )
  }
  const outcome = expect(outcomeOf(cwd, flags), code)
  assert.not.match(readFrom(cwd, 'sent/signedimp-manifest.txt'), /^[0-9a-f]{64} /)
  return outcome
})

attack(
  134,
  'a last release that this key did not sign',
  { variants: ['of another key', 'changed'] },
  async (variant) => {
    const cwd = await machine()
    await send(cwd, { directives: expiring(8) })
    const last = join(cwd, 'last/release.pem.txt')
    if (variant === 'changed')
      writeFileSync(last, readFrom(last, '').replace('# build: 7', '# build: 5'))
    else {
      cpSync(join(cwd, 'last/a.js'), join(cwd, 'again/a.js'))
      const signer = await newSigner()
      await signDirectory(join(cwd, 'again'), signer, { name: 'shop', build: 5 })
      cpSync(join(cwd, 'again/signedimp-manifest.txt'), last)
    }
    return expect(outcomeOf(cwd), 'SIGNATURE')
  },
)

attack(134, 'what changed is shown before it is signed', {}, async () => {
  const cwd = await machine()
  await send(cwd, {
    directives: expiring(8),
    files: [file('a.js', sha256('b')), file('evil.js', digest)],
  })
  const args = ['sign', 'sent', '--detached', '--key', 'release.pem', ...sinceLast]
  const { status, stderr } = signedimp(args, { cwd })
  assert.is(status, 0, stderr)
  assert.match(stderr, '\nadded     evil.js\nchanged   a.js\n1 added, 0 removed, 1 changed\n')
  return 'ok files that came, went or changed are named'
})

attacks.run()
