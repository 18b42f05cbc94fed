import {
  appendFileSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashBytes } from '../../src/crypto/node.ts'
import { formatManifest } from '../../src/manifest/format.ts'
import { signText, storeManifest } from '../../src/manifest/sign.ts'
import type { FileProblem, FilesRefusedError } from '../../src/tree/refused.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { verifyDirectory, type VerifyOptions } from '../../src/tree/verify.ts'
import { throwsCode } from '../support/throws.ts'
import { addPageManifest, folderOf, newSigner, readFrom, sha256, writeInto } from './folder.ts'

const signer = await newSigner()
const second = await newSigner()
const stranger = await newSigner()
const manifestName = 'signedimp-manifest.txt'
const files = { 'index.html': '<p>', 'assets/a.js': 'a', 'assets/b.js': 'b' }

async function signedFolder(options = {}) {
  const dir = await folderOf(files)
  await signDirectory(dir, signer, { name: 'shop', build: 3, ...options })
  return dir
}

const verify = (dir: string, options: VerifyOptions = {}) =>
  verifyDirectory(dir, [signer.key], options)

/** What `ERR_SIGNEDIMP_FILES` says of a folder, without the reasons. */
async function problemsOf(dir: string) {
  const error = await throwsCode(() => verify(dir), 'ERR_SIGNEDIMP_FILES')
  return (error as unknown as FilesRefusedError).problems
}
const short = (problems: readonly FileProblem[]) =>
  problems.map(({ path, problem }) => `${problem} ${path}`)

test('a folder that is as signed passes, and what it is, is told', async () => {
  const dir = await signedFolder({ expires: '2100-01-01T00:00:00Z' })
  assert.equal(await verify(dir, { name: 'shop', build: 3 }), {
    hash: 'sha256',
    name: 'shop',
    build: 3,
    expires: '2100-01-01T00:00:00Z',
    files: 3,
    signers: [signer.key.fingerprint],
    pageManifests: [],
    missingSourceMaps: [],
  })
})

test('source maps that are gone are told and no fault, changed ones are', async () => {
  const maps = ['a.js.map', 'a.mjs.map', 'b.css.map']
  const dir = await folderOf({ ...files, 'a.js.map': '1', 'a.mjs.map': '2', 'b.css.map': '3' })
  await signDirectory(dir, signer, { name: 'shop' })
  assert.equal((await verify(dir)).missingSourceMaps, [])
  for (const path of maps) rmSync(join(dir, path))
  assert.equal((await verify(dir)).missingSourceMaps, maps)
  await signDirectory(dir, second)
  const { missingSourceMaps, files: count } = await verifyDirectory(dir, [second.key])
  assert.equal([missingSourceMaps, count], [[], 3])
  writeInto(dir, 'a.js.map', '1')
  assert.match(
    (await throwsCode(() => verifyDirectory(dir, [second.key]), 'ERR_SIGNEDIMP_FILES')).message,
    'a.js.map unlisted',
  )
})

for (const [what, spoil, problem] of [
  ['changed', (dir: string) => writeInto(dir, 'a.js.map', '2'), 'changed a.js.map'],
  ['emptied', (dir: string) => writeInto(dir, 'a.js.map', ''), 'changed a.js.map'],
  [
    'replaced by a link',
    (dir: string) => {
      rmSync(join(dir, 'a.js.map'))
      symlinkSync('index.html', join(dir, 'a.js.map'))
    },
    'changed a.js.map',
  ],
  [
    'no source map by its name',
    (dir: string) => rmSync(join(dir, 'level.map')),
    'missing level.map',
  ],
] as const)
  test(`a source map that is ${what} is a fault`, async () => {
    const dir = await folderOf({ 'a.js': '', 'index.html': '', 'a.js.map': '1', 'level.map': '' })
    await signDirectory(dir, signer, { name: 'shop' })
    spoil(dir)
    assert.equal(short(await problemsOf(dir)), [problem])
  })

test('every file that differs is named, with what is wrong with it', async () => {
  const dir = await signedFolder()
  writeInto(dir, 'assets/a.js', 'evil')
  rmSync(join(dir, 'assets/b.js'))
  writeInto(dir, 'assets/planted.js', 'evil')
  writeInto(dir, '.htaccess', 'evil')
  symlinkSync('index.html', join(dir, 'link.html'))
  assert.equal(short(await problemsOf(dir)), [
    'unlisted .htaccess',
    'changed assets/a.js',
    'missing assets/b.js',
    'unlisted assets/planted.js',
    'unlisted link.html',
  ])
})

test('files that were swapped are changed, a moved one is missing and unlisted', async () => {
  const dir = await signedFolder()
  renameSync(join(dir, 'assets/a.js'), join(dir, 'x'))
  renameSync(join(dir, 'assets/b.js'), join(dir, 'assets/a.js'))
  renameSync(join(dir, 'x'), join(dir, 'assets/b.js'))
  renameSync(join(dir, 'index.html'), join(dir, 'home.html'))
  assert.equal(short(await problemsOf(dir)), [
    'changed assets/a.js',
    'changed assets/b.js',
    'unlisted home.html',
    'missing index.html',
  ])
})

test('a file replaced by a link to the same bytes is changed', async () => {
  const dir = await signedFolder()
  const outside = await folderOf({ 'a.js': 'a' })
  rmSync(join(dir, 'assets/a.js'))
  symlinkSync(join(outside, 'a.js'), join(dir, 'assets/a.js'))
  const problems = await problemsOf(dir)
  assert.equal(short(problems), ['changed assets/a.js'])
  assert.match(problems[0]!.reason!, /symbolic link/)
})

test('only what is beside the manifest and named for it may be unlisted', async () => {
  const dir = await signedFolder()
  for (const name of ['assets/signedimp-manifest.txt', 'signedimp-manifest.0123.txt', 'other.txt'])
    writeInto(dir, name, '')
  assert.equal(short(await problemsOf(dir)), [
    'unlisted assets/signedimp-manifest.txt',
    'unlisted other.txt',
    'unlisted signedimp-manifest.0123.txt',
  ])
})

test('the message names some of many problems, and counts the rest', async () => {
  const dir = await signedFolder()
  for (let at = 0; at < 9; at++) writeInto(dir, `x${at}`, '')
  const error = await throwsCode(() => verify(dir), 'ERR_SIGNEDIMP_FILES')
  assert.match(error.message, /9 files are not as signed: x0 unlisted, .*x4 unlisted and 4 more$/)
})

for (const [what, spoil, code] of [
  ['no manifest', (dir: string) => rmSync(join(dir, manifestName)), 'MISSING'],
  ['an empty manifest', (dir: string) => writeInto(dir, manifestName, ''), 'MANIFEST_INVALID'],
  [
    'a manifest without its signatures',
    (dir: string) =>
      writeInto(dir, manifestName, '\n' + readFrom(dir, manifestName).split('\n\n')[1]),
    'SIGNATURE',
  ],
  [
    'a manifest with one byte more',
    (dir: string) => appendFileSync(join(dir, manifestName), '\n'),
    'SIGNATURE',
  ],
  [
    'a manifest behind a link',
    (dir: string) => {
      renameSync(join(dir, manifestName), join(dir, 'm'))
      symlinkSync('m', join(dir, manifestName))
    },
    'PATH',
  ],
  [
    'a manifest of 65 MiB',
    (dir: string) => writeFileSync(join(dir, manifestName), Buffer.alloc(65 << 20, '\n')),
    'MANIFEST_INVALID',
  ],
] as const)
  test(`a folder with ${what} is refused`, async () => {
    const dir = await signedFolder()
    spoil(dir)
    await throwsCode(() => verify(dir), `ERR_SIGNEDIMP_${code}`)
  })

test('a folder for another app, of an older build, or of another key is refused', async () => {
  const dir = await signedFolder()
  await throwsCode(() => verify(dir, { name: 'bank' }), 'ERR_SIGNEDIMP_NAME')
  await throwsCode(() => verify(dir, { build: 4 }), 'ERR_SIGNEDIMP_ROLLBACK')
  await throwsCode(() => verifyDirectory(dir, [stranger.key]), 'ERR_SIGNEDIMP_SIGNATURE')
})

test('a threshold counts keys, not signatures and not repetitions of a key', async () => {
  const dir = await signedFolder()
  const keys = [signer.key, second.key]
  await throwsCode(() => verifyDirectory(dir, keys, { threshold: 2 }), 'ERR_SIGNEDIMP_SIGNATURE')
  const [line, rest] = readFrom(dir, manifestName).split('\n\n')
  writeInto(dir, manifestName, `${line}\n${line}\n\n${rest}`)
  await throwsCode(() => verifyDirectory(dir, keys, { threshold: 2 }), 'ERR_SIGNEDIMP_SIGNATURE')
  await signDirectory(dir, second)
  const { signers } = await verifyDirectory(dir, [...keys, stranger.key], { threshold: 2 })
  assert.equal(
    signers,
    keys.map(({ fingerprint }) => fingerprint),
  )
})

test('a listed pair of names that a host takes for one is refused', async () => {
  const dir = await folderOf({ 'a.js': '', 'A.js': '' })
  const list = new Map([
    ['a.js', sha256('')],
    ['A.js', sha256('')],
  ])
  const text = new TextEncoder().encode(
    formatManifest({ hash: 'sha256', name: 'shop', imports: new Map(), files: list }),
  )
  writeInto(dir, manifestName, storeManifest([await signText(text, signer)], text))
  await throwsCode(() => verify(dir), 'ERR_SIGNEDIMP_PATH')
})

test('a file that changes while it is hashed is refused', async () => {
  const dir = await signedFolder()
  const progress = (done: number) => done === 3 && writeInto(dir, 'assets/a.js', 'z')
  await throwsCode(() => verify(dir, { progress }), 'ERR_SIGNEDIMP_LATE_WRITE')
})

test('page manifests of this build and of older ones pass, expired ones too', async () => {
  const dir = await folderOf(files)
  const pages = [
    await addPageManifest(dir, signer, ['assets/a.js', 'assets/b.js'], { build: 3 }),
    await addPageManifest(dir, signer, ['assets/b.js'], { build: 2 }),
    await addPageManifest(dir, signer, ['assets/b.js'], {
      build: 1,
      expires: '2001-01-01T00:00:00Z',
    }),
    await addPageManifest(dir, signer, [], {
      hash: 'sha512',
      files: new Map([['assets/a.js', hashBytes('sha512', Buffer.from('a'))]]),
    }),
  ]
  await signDirectory(dir, signer, { name: 'shop', build: 3 })
  assert.equal((await verify(dir, { build: 3 })).pageManifests, pages.sort())
})

test('a page manifest needs the signatures that the manifest needs', async () => {
  const dir = await folderOf(files)
  await signDirectory(dir, signer, { name: 'shop', build: 3 })
  await signDirectory(dir, second)
  const page = await addPageManifest(dir, signer, ['assets/a.js'])
  const both = () => verifyDirectory(dir, [signer.key, second.key], { threshold: 2 })
  const error = (await throwsCode(both, 'ERR_SIGNEDIMP_FILES')) as unknown as FilesRefusedError
  assert.equal(short(error.problems), [`changed ${page}`])
  await signDirectory(dir, second)
  await both()
})

for (const [what, plant, reason] of [
  [
    'by a stranger',
    (dir: string) => addPageManifest(dir, stranger, ['assets/a.js']),
    /ERR_SIGNEDIMP_SIGNATURE/,
  ],
  [
    'for another app',
    (dir: string) => addPageManifest(dir, signer, [], { name: 'bank' }),
    /"bank"/,
  ],
  ['of a later build', (dir: string) => addPageManifest(dir, signer, [], { build: 9 }), /build 9/],
  [
    'that is an old manifest of the whole folder',
    async (dir: string) => {
      const name = 'signedimp-manifest.0123456789abcdef.txt'
      writeFileSync(join(dir, name), readFileSync(join(dir, manifestName)))
      return name
    },
    /not named by the hash/,
  ],
  [
    'that holds other things',
    async (dir: string) => {
      const name = 'signedimp-manifest.0123456789abcdef.txt'
      writeInto(dir, name, '<script>evil()</script>')
      return name
    },
    /MANIFEST_INVALID/,
  ],
] as const)
  test(`a planted page manifest ${what} is changed, with the reason`, async () => {
    const dir = await signedFolder()
    const path = await plant(dir)
    const problems = await problemsOf(dir)
    assert.equal(short(problems), [`changed ${path}`])
    assert.match(problems[0]!.reason!, reason)
  })

test('files of an old page manifest have to be there as it lists them', async () => {
  const dir = await folderOf(files)
  const list = new Map([
    ['assets/gone.js', sha256('')],
    ['assets/a.js', sha256('old')],
  ])
  const page = await addPageManifest(dir, signer, [], { files: list })
  rmSync(join(dir, page))
  await signDirectory(dir, signer, { name: 'shop', build: 3 })
  await addPageManifest(dir, signer, [], { files: list })
  const problems = await problemsOf(dir)
  assert.equal(short(problems), ['changed assets/a.js', 'missing assets/gone.js'])
  assert.equal(
    problems.map(({ reason }) => reason),
    [`as ${page} lists it`, `as ${page} lists it`],
  )
})

test('a file that only a page manifest lists is unlisted', async () => {
  const dir = await signedFolder()
  writeInto(dir, 'assets/old.js', 'old')
  await addPageManifest(dir, signer, ['assets/old.js'])
  assert.equal(short(await problemsOf(dir)), ['unlisted assets/old.js'])
})

test('a page manifest behind a link is refused', async () => {
  const dir = await folderOf(files)
  const page = await addPageManifest(dir, signer, ['assets/a.js'])
  await signDirectory(dir, signer, { name: 'shop' })
  const outside = await folderOf({})
  renameSync(join(dir, page), join(outside, page))
  symlinkSync(join(outside, page), join(dir, page))
  assert.equal(short(await problemsOf(dir)), [`unlisted ${page}`])
})

test('mistakes of a caller are TypeErrors, above all those that would check less', async () => {
  const dir = await signedFolder()
  const twice = [signer.key, signer.key]
  for (const [work, message] of [
    [() => verifyDirectory(dir, []), /"keys" must be/],
    [() => verifyDirectory(dir, undefined as never), /"keys" must be/],
    [() => verify(dir, { threshold: 0 }), /"threshold" must be/],
    [() => verify(dir, { threshold: NaN }), /"threshold" must be/],
    [
      () => verifyDirectory(dir, twice, { threshold: 2 }),
      /more than the number of different keys, 1/,
    ],
    [() => verify(dir, { treshold: 2 } as never), /"treshold" is no option/],
    [() => verify(dir, { name: '' }), /"name" must be/],
    [() => verify(dir, { build: '3' as never }), /"build" must be/],
    [() => verify(''), /"dir" must be/],
  ] as [() => Promise<unknown>, RegExp][]) {
    const error = (await work().catch((caught) => caught)) as Error
    assert.instance(error, TypeError)
    assert.match(error.message, message)
  }
})

test('no file is held in memory whole', async () => {
  const dir = await folderOf({})
  for (let at = 0; at < 4; at++) writeInto(dir, `${at}.bin`, Buffer.alloc(64 << 20, at))
  await signDirectory(dir, signer, { name: 'shop' })
  const held: number[] = []
  const sample = setInterval(() => held.push(process.memoryUsage().arrayBuffers), 1)
  await verify(dir)
  clearInterval(sample)
  assert.ok(held.length > 10, 'next to nothing was sampled')
  // Four at a time: held whole, they would be 256 MiB.
  assert.ok(Math.max(...held) < 128 << 20, `held ${Math.max(...held) >> 20} MiB`)
})

test.run()
