import { createHash } from 'node:crypto'
import { cpSync, symlinkSync, unlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { brotliCompressSync } from 'node:zlib'
import { loadSigner } from '../../src/keys/private.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { carrierOf, elementsOf } from '../emit/emitted.ts'
import { lazy } from '../support/readme-app.ts'
import { scratchFolder } from '../support/processes.ts'
import { skip } from '../support/skip.ts'
import { contentsOf, readFrom, writeInto } from '../tree/folder.ts'
import { buildApp } from './later-app.ts'
import { jsonOf, signedimp } from './run.ts'

// Pages that are written by hand beside what esbuild built.

const built = lazy(() => buildApp())

/** A copy of the build, in which a test can do what it likes. */
async function workplace(from: ReturnType<typeof buildApp> = built()) {
  const { cwd: original, prints } = await from
  const cwd = scratchFolder()
  cpSync(original, cwd, { recursive: true })
  const html = (...args: string[]) => signedimp(['html', ...args, '--key', 'a.key'], { cwd })
  const verify = () =>
    signedimp(['verify', 'dist', '--key', 'a.key.pub', '--name', 'shop', '--json'], { cwd })
  return { cwd, prints, html, verify }
}

const pageOf = (...tags: string[]): string =>
  `<!doctype html>\n<html lang="en">\n  <head>\n    <meta charset="utf-8">\n    ${tags.join('\n    ')}\n  </head>\n  <body></body>\n</html>\n`

const start = (src: string): string => `<script type="module" src="${src}"></script>`

/** Writes a page that starts entries, and makes it. */
async function make(path: string, tags: string[], ...args: string[]) {
  const place = await workplace()
  writeInto(place.cwd, path, pageOf(...tags))
  return { ...place, run: place.html(path, ...args) }
}

const dataOf = (html: string): Record<string, string> => carrierOf(html)!.attributes

/** Files of the page manifest that a page names. */
const listOf = (cwd: string, manifest: string): string[] =>
  [...readFrom(cwd, `dist/${basename(manifest)}`).matchAll(/^[0-9a-f]{64} (\S+\.\w+)$/gm)].map(
    ([, path]) => path!,
  )

test('a page starts an entry through the bootstrap, and the folder is signed anew', async () => {
  const { cwd, prints, run, verify } = await make('dist/index.html', [start('main.js')])
  assert.is(run.status, 0, run.stderr)
  const html = readFrom(cwd, 'dist/index.html')
  assert.equal(
    elementsOf(html).filter(({ attributes }) => attributes['type'] === 'module'),
    [],
  )
  const { text, attributes } = carrierOf(html)!
  assert.equal(
    [attributes['data-entry'], attributes['data-name'], attributes['data-build']],
    ['mai_.js', 'shop', '7'],
  )
  const [, hash] = /\nbootstrap +'(sha256-.+)'\n/.exec(run.stdout)!
  assert.is(hash, `sha256-${createHash('sha256').update(text).digest('base64')}`)
  assert.match(
    run.stdout,
    /^page +dist\/index\.html\nentry +main\.js\npage manifest +signedimp-manifest\.[0-9a-f]{16}\.txt\nmanifest +signedimp-manifest\.txt\nname +shop\nbuild +7\nhash +sha256\nfiles +\d+\nsigner +[0-9a-f]{64}\nbootstrap/,
  )
  assert.match(run.stdout, `signer         ${prints[0]}`)
  assert.match(
    run.stderr,
    /^Signed .*signedimp-manifest\.txt for "shop"; give --name to accept no other\.\n/,
  )
  assert.is(verify().status, 0)
  assert.match(readFrom(cwd, 'dist/signedimp-manifest.txt'), / index\.html(\n|$)/)
})

test('the page lists what its entries load, and not what others do', async () => {
  const one = await make('dist/index.html', [start('main.js')])
  const { 'data-manifest': manifest, 'data-runtime': runtime } = dataOf(
    readFrom(one.cwd, 'dist/index.html'),
  )
  const list = listOf(one.cwd, manifest!)
  for (const path of ['mai_.js', 'a.js', 'look.css', runtime!]) assert.ok(list.includes(path), path)
  assert.ok(list.some((path) => path.startsWith('chunk')))
  for (const path of ['main.js', 'deep/othe_.js', 'deep/other.js', 'index.html'])
    assert.not.ok(list.includes(path), path)

  const two = await make('dist/index.html', [start('main.js'), start('deep/other.js')])
  const data = dataOf(readFrom(two.cwd, 'dist/index.html'))
  assert.is(data['data-entry'], 'mai_.js deep%2Fothe_.js')
  const both = listOf(two.cwd, data['data-manifest']!)
  assert.equal(
    both.filter((path) => !list.includes(path)),
    ['deep/othe_.js'],
  )
})

test('references of the bootstrap are as the page spells its own', async () => {
  const { cwd, html } = await workplace()
  const spelled = [
    ['dist/1.html', 'main.js', './'],
    ['dist/2.html', '/main.js', '/'],
    ['dist/3.html', ' ./deep/other.js ', './'],
    ['dist/4.html', 'deep/../deep/other.js', 'deep/../'],
    ['dist/pages/a/5.html', '../../main.js', '../../'],
    ['dist/pages/a/6.html', '/deep/other.js', '/'],
    ['dist/deep/7.html', 'other.js', '../'],
    ['dist/8.html', '/caf%C3%A9.js', '/'],
  ] as const
  for (const [path, src] of spelled) writeInto(cwd, path, pageOf(start(src)))
  const { status, stderr } = html(...spelled.map(([path]) => path))
  assert.is(status, 0, stderr)
  for (const [path, src, manifest] of spelled) {
    const { 'data-manifest': found } = dataOf(readFrom(cwd, path))
    assert.is(found!.replace(/signedimp-.*/, ''), manifest, src)
  }
})

test('stylesheets and classic scripts of the folder get integrity', async () => {
  const { cwd, run } = await make('dist/index.html', [
    '<link rel="stylesheet" href="look.css">',
    start('main.js'),
  ])
  assert.is(run.status, 0, run.stderr)
  const link = elementsOf(readFrom(cwd, 'dist/index.html')).find(
    ({ attributes }) => attributes['rel'] === 'stylesheet',
  )
  assert.match(link!.attributes['integrity']!, /^sha256-/)
})

test('--json tells all of it, of several pages and of those outside of the folder', async () => {
  const { cwd, html, prints, verify } = await workplace()
  writeInto(cwd, 'dist/index.html', pageOf(start('main.js')))
  writeInto(cwd, 'site.html', pageOf(start('dist/deep/other.js')))
  writeInto(cwd, 'sub/page.htm', pageOf(start('/dist/main.js')))
  const files = ['dist/index.html', 'site.html', 'sub/page.htm']
  const result = html(...files, '--dir', 'dist', '--json')
  assert.is(result.status, 0, result.stderr)
  assert.is(result.stderr, '')
  const { dir, bootstrap, pages, files: count, ...rest } = jsonOf(result)
  assert.is(basename(dir), 'dist')
  assert.match(bootstrap, /^sha256-/)
  assert.equal(rest, {
    manifest: 'signedimp-manifest.txt',
    hash: 'sha256',
    name: 'shop',
    build: 7,
    signer: prints[0],
    unverified: [],
  })
  assert.equal(
    pages.map(({ file, path, entries }: Record<string, string>) => [file, path, entries]),
    [
      ['dist/index.html', 'index.html', ['main.js']],
      ['site.html', undefined, ['deep/other.js']],
      ['sub/page.htm', undefined, ['main.js']],
    ],
  )
  assert.is(jsonOf(verify()).files, count)
  assert.is(pages[0].pageManifest, pages[2].pageManifest)
  for (const [file, base] of [
    ['site.html', 'dist/'],
    ['sub/page.htm', '/dist/'],
  ] as const)
    assert.ok(dataOf(readFrom(cwd, file))['data-manifest']!.startsWith(`${base}signedimp-`), file)
})

test('another page can follow, the same one can be given anew, and words tell of what is outside', async () => {
  const { cwd, html, verify, run } = await make('dist/index.html', [start('main.js')])
  assert.is(run.status, 0)
  writeInto(cwd, 'dist/second.html', pageOf(start('deep/other.js')))
  assert.is(html('dist/second.html').status, 0)
  writeInto(cwd, 'dist/index.html', pageOf(start('deep/other.js')))
  assert.is(html('dist/index.html').status, 0)
  assert.is(jsonOf(verify()).pageManifests.length, 5)
  writeInto(cwd, 'out.html', pageOf(start('dist/main.js')))
  const { stderr } = html('out.html', '--dir', 'dist')
  assert.match(stderr, 'out.html is outside of the folder, so that no manifest lists it.')
  assert.is(verify().status, 0)
})

test('--inline links the bootstrap, or has pages carry their manifest', async () => {
  const linked = await make('dist/index.html', [start('/main.js')], '--inline', 'false')
  assert.is(linked.run.status, 0, linked.run.stderr)
  assert.not.match(linked.run.stdout, 'bootstrap')
  const { src, integrity } = dataOf(readFrom(linked.cwd, 'dist/index.html'))
  assert.match(src!, /^\/signedimp-[0-9a-f]{16}\.js$/)
  assert.match(integrity!, /^sha256-/)
  assert.is(linked.verify().status, 0)
  const all = await make('dist/index.html', [start('/main.js')], '--inline', 'all')
  assert.match(readFrom(all.cwd, 'dist/index.html'), 'data-signedimp>')
})

test('--pure is for builds with that option, and for RSA keys', async () => {
  const signed = { html: 'later', pure: true } as const
  const { cwd, html, verify } = await workplace(buildApp({ signed, algorithm: 'rsa-pss' }))
  writeInto(cwd, 'dist/index.html', pageOf(start('/main.js')))
  const without = html('dist/index.html')
  assert.is(without.status, 1)
  assert.match(without.stderr, 'main.js')
  const { status, stderr } = html('dist/index.html', '--pure')
  assert.is(status, 0, stderr)
  assert.match(readFrom(cwd, 'dist/index.html'), '@noble/hashes')
  assert.is(verify().status, 0)
  const other = await make('dist/index.html', [start('/main.js')], '--pure')
  assert.is(other.run.status, 2)
  assert.match(other.run.stderr, '--pure needs keys that are all RSA')
})

test('where the build names a host, files come from there, whoever serves the entry', async () => {
  const base = 'https://cdn.example/shop/'
  const { cwd, html, verify } = await workplace(buildApp({ publicPath: base }))
  for (const src of [`${base}deep/other.js`, '/deep/other.js']) {
    writeInto(cwd, 'dist/index.html', pageOf(start(src)))
    const { status, stderr } = html('dist/index.html')
    assert.is(status, 0, stderr)
    const { 'data-manifest': manifest, 'data-entry': entry } = dataOf(
      readFrom(cwd, 'dist/index.html'),
    )
    assert.is(manifest!.replace(/signedimp-.*/, ''), base)
    assert.is(entry, 'deep%2Fothe_.js')
  }
  assert.is(verify().status, 0)
})

test('keys and threshold are those of the build, in whichever order', async () => {
  const signed = { html: 'later', keys: ['b'], threshold: 2 } as const
  const two = lazy(() => buildApp({ signed }))
  const flags = ['--threshold', '2', '--accept']
  const { cwd, html, prints } = await workplace(two())
  writeInto(cwd, 'dist/index.html', pageOf(start('main.js')))
  for (const wrong of [[], ['--accept', 'b.key.pub']]) {
    const { status, stderr } = html('dist/index.html', ...wrong)
    assert.is(status, 1)
    assert.match(
      stderr,
      `ERR_SIGNEDIMP_OUTPUT main.js: accepts 2 of ${[...prints].sort().join(', ')}, `,
    )
  }
  const first = html('dist/index.html', ...flags, 'b.key.pub', '--json')
  assert.is(first.status, 0, first.stderr)
  const other = signedimp(['sign', 'dist', '--key', 'b.key'], { cwd })
  assert.is(other.status, 0, other.stderr)
  const args = ['--key', 'a.key.pub', '--key', 'b.key.pub', '--threshold', '2']
  assert.is(signedimp(['verify', 'dist', ...args], { cwd }).status, 0)
  // The second signer makes a page with the same bootstrap.
  writeInto(cwd, 'dist/second.html', pageOf(start('main.js')))
  const second = signedimp(
    ['html', 'dist/second.html', '--key', 'b.key', ...flags, 'a.key.pub', '--json'],
    { cwd },
  )
  assert.is(second.status, 0, second.stderr)
  assert.is(jsonOf(second).bootstrap, jsonOf(first).bootstrap)
})

// What is refused. Nothing is written then.

const stray = '<script type="module" src="https://evil.example/x.js"></script>'

const signIn = async (cwd: string, dir: string) =>
  signDirectory(join(cwd, dir), await loadSigner(join(cwd, 'a.key')), { name: 'shop' })

interface Refused {
  tags?: string[]
  /** Where the page is. */
  path?: string
  /** Done to the folder before. */
  spoil?: (cwd: string) => unknown
  args?: string[]
  message: RegExp
}

const refused: Record<string, Refused> = {
  'a file that was changed': {
    spoil: (cwd) => writeInto(cwd, 'dist/a.js', 'evil'),
    message: /ERR_SIGNEDIMP_FILES 1 file is not as signed: a\.js changed/,
  },
  'an entry that was changed': {
    spoil: (cwd) => writeInto(cwd, 'dist/main.js', `${readFrom(cwd, 'dist/main.js')}evil()`),
    message: /ERR_SIGNEDIMP_FILES 1 file is not as signed: main\.js changed/,
  },
  'a file that nobody signed': {
    spoil: (cwd) => writeInto(cwd, 'dist/planted.js', ''),
    message: /ERR_SIGNEDIMP_FILES .*planted\.js unlisted/,
  },
  'a page that nobody named': {
    spoil: (cwd) => writeInto(cwd, 'dist/planted.html', ''),
    message: /ERR_SIGNEDIMP_FILES .*planted\.html unlisted/,
  },
  'a missing file': {
    spoil: (cwd) => unlinkSync(join(cwd, 'dist/a.js')),
    message: /ERR_SIGNEDIMP_FILES .*a\.js missing/,
  },
  'a folder that is not signed': {
    spoil: (cwd) => {
      const [, text] = readFrom(cwd, 'dist/signedimp-manifest.txt').split(/\n(\n[^]*)/)
      writeInto(cwd, 'dist/signedimp-manifest.txt', text!)
    },
    message: /ERR_SIGNEDIMP_SIGNATURE signed by 0 of 1 keys/,
  },
  'a folder without a manifest': {
    spoil: (cwd) => unlinkSync(join(cwd, 'dist/signedimp-manifest.txt')),
    args: ['--dir', 'dist'],
    message: /ERR_SIGNEDIMP_MISSING signedimp-manifest\.txt/,
  },
  'a compressed copy of the page': {
    spoil(cwd) {
      writeInto(cwd, 'dist/index.html.br', brotliCompressSync(readFrom(cwd, 'dist/index.html')))
      return signIn(cwd, 'dist')
    },
    message: /ERR_SIGNEDIMP_OUTPUT index\.html\.br: is a compressed copy/,
  },
  "a third party's module": {
    tags: [start('main.js'), stray],
    message:
      /ERR_SIGNEDIMP_NOT_COVERED [^]*evil\.example[^]*--unverified 'https:\/\/evil\.example\/x\.js'/,
  },
  'an entry that is not there': {
    tags: [start('mian.js'), start('main.js')],
    message: /ERR_SIGNEDIMP_NOT_COVERED [^]*mian\.js/,
  },
  'an entry that is not there, alone': {
    tags: [start('mian.js')],
    message:
      /ERR_SIGNEDIMP_OUTPUT index\.html: starts no entry of the folder, for mian\.js is none/,
  },
  'a chunk that is no entry': {
    tags: [start('a.js')],
    message: /ERR_SIGNEDIMP_OUTPUT a\.js: is started by index\.html, and is no entry/,
  },
  'a main chunk': {
    tags: [start('mai_.js')],
    message: /ERR_SIGNEDIMP_OUTPUT mai_\.js: is started by index\.html, and is no entry/,
  },
  'a page without entries': {
    tags: ['<title>No</title>'],
    message: /ERR_SIGNEDIMP_OUTPUT index\.html: starts no entry of the folder; name/,
  },
  'an import map of what is not there': {
    tags: ['<script type="importmap">{"imports":{"x":"./x.js"}}</script>', start('main.js')],
    message:
      /ERR_SIGNEDIMP_OUTPUT index\.html: has an import map [^]*which is no file of this build/,
  },
  'a page that is no UTF-8': {
    spoil: (cwd) => writeInto(cwd, 'dist/index.html', Buffer.from('<p>caf\xe9', 'latin1')),
    message: /ERR_SIGNEDIMP_OUTPUT index\.html: is not in UTF-8/,
  },
  "another app's name": {
    args: ['--name', 'blog'],
    message: /ERR_SIGNEDIMP_NAME /,
  },
  'an older build': {
    args: ['--name', 'shop', '--build', '8'],
    message: /ERR_SIGNEDIMP_ROLLBACK /,
  },
  'the key in the folder': {
    spoil: (cwd) => cpSync(join(cwd, 'a.key'), join(cwd, 'dist/a.key')),
    args: ['--dir', 'dist'],
    message: /ERR_SIGNEDIMP_(FILES|KEY_EXPOSED)/,
  },
  'an entry of a build in another folder': {
    spoil(cwd) {
      cpSync(join(cwd, 'dist'), join(cwd, 'site/js'), { recursive: true })
      writeInto(cwd, 'site/index.html', pageOf(start('js/main.js')))
      return signIn(cwd, 'site')
    },
    path: 'site/index.html',
    message: /ERR_SIGNEDIMP_OUTPUT js\/main\.js: was built as main\.js; give the folder/,
  },
}

for (const [
  what,
  { tags = [start('main.js')], path = 'dist/index.html', spoil, args = [], message },
] of Object.entries(refused))
  test(`${what} is refused with 1, and nothing is written`, async () => {
    const { cwd, html } = await workplace()
    writeInto(cwd, path, pageOf(...tags))
    await spoil?.(cwd)
    const before = contentsOf(cwd)
    const { status, stdout, stderr } = html(path, ...args)
    assert.is(status, 1, stdout + stderr)
    assert.match(stderr, message)
    assert.equal(contentsOf(cwd), before)
  })

test('a folder is of the name and build that are asked for', async () => {
  const asked = ['--name', 'shop', '--build', '7']
  const { run } = await make('dist/index.html', [start('main.js')], ...asked)
  assert.is(run.status, 0, run.stderr)
  assert.match(run.stderr, /^Signed .*signedimp-manifest\.txt\.\n/)
})

test('a page that is made already is refused, with one that is not', async () => {
  const { cwd, html } = await make('dist/index.html', [start('main.js')])
  writeInto(cwd, 'dist/second.html', pageOf(start('main.js')))
  const before = contentsOf(cwd)
  const { status, stderr } = html('dist/second.html', 'dist/index.html')
  assert.is(status, 1)
  assert.match(stderr, 'ERR_SIGNEDIMP_OUTPUT index.html: starts through a bootstrap already')
  assert.equal(contentsOf(cwd), before)
})

test('entries of a build without html: later, and of other keys, are refused', async () => {
  for (const [options, key, message] of [
    [{ signed: {} }, 'a.key', "build with html: 'later'"],
    [{}, 'b.key', 'ERR_SIGNEDIMP_SIGNATURE'],
  ] as const) {
    const { cwd } = await workplace(buildApp(options))
    writeInto(cwd, 'dist/index.html', pageOf(start('main.js')))
    const { status, stderr } = signedimp(['html', 'dist/index.html', '--key', key], { cwd })
    assert.is(status, 1)
    assert.match(stderr, message)
  }
})

test('a key that signed the folder, but is not pinned by its entries, is refused', async () => {
  const { cwd } = await workplace()
  assert.is(signedimp(['sign', 'dist', '--key', 'b.key'], { cwd }).status, 0)
  writeInto(cwd, 'dist/index.html', pageOf(start('main.js')))
  const { status, stderr } = signedimp(['html', 'dist/index.html', '--key', 'b.key'], { cwd })
  assert.is(status, 1)
  assert.match(stderr, 'ERR_SIGNEDIMP_OUTPUT main.js: accepts 1 of ')
})

test('what is not covered passes by name, and is told', async () => {
  const url = 'https://evil.example/x.js'
  const { cwd, run } = await make(
    'dist/index.html',
    [start('main.js'), stray, start('a.js')],
    '--unverified',
    url,
    '--unverified',
    'a.js',
  )
  assert.is(run.status, 0, run.stderr)
  assert.match(run.stdout, /\nUNVERIFIED +https:\/\/evil\.example\/x\.js: /)
  assert.match(readFrom(cwd, 'dist/index.html'), stray)
})

// What cannot be done at all.

const unusable: [what: string, args: string[], message: string][] = [
  ['no page', [], '<file> is missing'],
  ['a page outside of any folder', ['out.html'], 'give it as --dir'],
  ['a page of each of two folders', ['dist/index.html', 'copy/index.html'], 'give it as --dir'],
  ['what is no page', ['dist/main.js'], 'must be a page, whose name ends in .html'],
  ['a page that is not there', ['dist/none.html'], 'dist/none.html: no such file or folder'],
  ['a folder for a page', ['dir.html'], 'must be a file, and no link or folder'],
  ['a folder that is not there', ['out.html', '--dir', 'none'], 'none: no such file or folder'],
  ['a threshold of none', ['out.html', '--threshold', '0'], '--threshold must be at least 1'],
  ['too few keys', ['out.html', '--dir', 'dist', '--threshold', '2'], 'different keys, 1'],
  ['one signature for two', ['out.html', '--threshold', '2', '--inline', 'all'], 'must be 1'],
  ['an unknown way', ['out.html', '--inline', 'no'], 'must be one of true, false, all'],
  ['a private key to accept', ['out.html', '--dir', 'dist', '--accept', 'b.key'], 'a private key'],
  ['everything unverified', ['out.html', '--unverified', '*'], 'must name something'],
  ['a manifest in a folder', ['out.html', '--manifest', 'a/b.txt'], 'without folders'],
]

test('mistakes of the command line end with 2, and nothing is written', async () => {
  const { cwd, html } = await workplace()
  cpSync(join(cwd, 'dist'), join(cwd, 'copy'), { recursive: true })
  for (const path of ['out.html', 'dist/index.html', 'copy/index.html', 'dir.html/a'])
    writeInto(cwd, path, pageOf(start('main.js')))
  const before = contentsOf(cwd)
  for (const [what, args, message] of unusable) {
    const { status, stdout, stderr } = html(...args)
    assert.is(status, 2, `${what}: ${stderr}`)
    assert.is(stdout, '')
    assert.ok(stderr.includes(message), `${what}: ${stderr}`)
  }
  assert.equal(contentsOf(cwd), before)
})

if (process.platform !== 'win32')
  test('a link to a page is refused', async () => {
    const { cwd, html } = await workplace()
    writeInto(cwd, 'page.html', pageOf(start('dist/main.js')))
    symlinkSync('page.html', join(cwd, 'link.html'))
    assert.is(html('link.html', '--dir', 'dist').status, 2)
  })
else skip(test, 'a link to a page is refused', 'not everybody may link on Windows')

test.run()
