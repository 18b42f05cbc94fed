import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { appFiles, buildSigned } from '../support/app.ts'
import { whyNoServer } from '../support/binaries.ts'
import { inEngines } from '../support/browsers.ts'
import { readHeadersFile } from '../support/headers-file.ts'
import { blocksOf, readDocument, sectionOf } from '../support/markdown.ts'
import { skip } from '../support/skip.ts'
import { glance, look, open } from '../support/visit.ts'
import {
  copyToServe,
  freePort,
  nginxServer,
  startApache,
  startNginx,
  type WebServer,
} from '../support/web-servers.ts'

// What the option `headers` writes, in the servers that it is for: they load it, they send what it says, and pages work
// under it.

type Headers = Record<string, string>

/** Names of which each is a trap for some server's file. */
const odd = ['o d.txt', `q"uo'te.txt`, 'do$lla#r.txt', 'per%cent.txt', 'se;mi{brace}>.txt', 'é.txt']
const page = appFiles['index.html']!.replace(
  '</head>',
  '<script src="/first.js"></script></head>',
).replace(
  '</body>',
  "<script>globalThis.inline = 'cr lf'</script>\r\n<script>\r\n  globalThis.lines = 2\r\n</script></body>",
)
const files = {
  'index.html': page,
  'public/first.js': 'globalThis.first = 1',
  'public/404.html': '<!doctype html><title>Not found</title>',
  'public/short.html': '<!doctype html><title>Short</title>',
  'public/sub/index.html': '<!doctype html><title>Sub</title>',
  ...Object.fromEntries(odd.map((name) => [`public/${name}`, name])),
}
const output = {
  entryFileNames: 'assets/[name]-[hash].js',
  chunkFileNames: 'assets/[name]-[hash].js',
  assetFileNames: 'assets/[name]-[hash][extname]',
}

const key = await generateKey('ed25519')
const [port, apachePort, pagePort, cdnPort] = await Promise.all([0, 1, 2, 3].map(freePort))
const servers: WebServer[] = []
let folder = ''
let cdnFolder = ''

const forms = ['_headers', 'nginx', 'apache', 'json'] as const

/** Hashes of another length where pages link the bootstrap, which runs by what its tag has as integrity. */
const build = (base: string, inline: boolean) =>
  buildSigned(key, {
    files,
    base,
    signed: { headers: [...forms], inline, hash: inline ? 'sha256' : 'sha384' },
    config: { build: { sourcemap: true, rollupOptions: { output } } },
  })

test.before(async () => {
  folder = copyToServe(await build('/', true))
  cdnFolder = copyToServe(await build(`http://127.0.0.1:${cdnPort}/shop/`, false), 'shop')
  if (!whyNoServer('nginx')) servers.push(await startBlocks())
  if (!whyNoServer('apache')) servers.push(await startApache(apachePort!, folder))
})

/** The output at its own port; and once more as a page's host and as the host of its files. */
function startBlocks(): Promise<WebServer> {
  const include = (dir: string) => join(dir, 'signedimp-headers.nginx.conf')
  const shop = join(cdnFolder, 'shop')
  return startNginx(
    port!,
    nginxServer(port!, folder, include(folder)),
    nginxServer(pagePort!, shop, include(shop)),
    nginxServer(cdnPort!, cdnFolder, include(shop)),
  )
}

test.after(async () => {
  for (const server of servers) await server.stop()
})

const readJson = (dir: string) =>
  JSON.parse(readFileSync(join(dir, 'signedimp-headers.json'), 'utf8')) as {
    version: number
    default: Headers
    files: Record<string, Headers>
  }

test('JSON has the shape that docs/deploy.md shows', () => {
  const section = sectionOf(readDocument('docs/deploy.md'), 'Headers for your server')
  const shown = JSON.parse(blocksOf(section, 'json')[0]!) as typeof told
  const told = readJson(folder)
  assert.equal(Object.keys(told), Object.keys(shown))
  assert.equal([told.version, told.default], [shown.version, shown.default])
  const headersOf = ({ files }: typeof told, pattern: RegExp) => {
    const path = Object.keys(files).find((file) => pattern.test(file))!
    return Object.entries(files[path]!).map(([name, value]) => [
      name,
      value.replaceAll(/'sha256-\S+'( 'sha256-\S+')*/g, "'sha256-…'"),
    ])
  }
  for (const pattern of [/^index\.html$/, /^assets\/.*\.js$/])
    assert.equal(headersOf(told, pattern), headersOf(shown, pattern))
})

const names = [
  'Content-Security-Policy',
  'Cache-Control',
  'X-Content-Type-Options',
  'Access-Control-Allow-Origin',
]

/** The status of an answer, and those of its headers that are ours. */
async function ask(url: string): Promise<[status: number, headers: Headers]> {
  const response = await fetch(url)
  await response.arrayBuffer()
  const own = names.flatMap((name) => {
    const value = response.headers.get(name)
    return value === null ? [] : [[name, value]]
  })
  return [response.status, Object.fromEntries(own) as Headers]
}

const escape = (path: string) => path.split('/').map(encodeURIComponent).join('/')

test('JSON names every file, and what is named by its content', () => {
  const { version, default: fallback, files: told } = readJson(folder)
  assert.is(version, 1)
  assert.equal(fallback, { 'Cache-Control': 'no-cache' })
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  const own = ['_headers', '.htaccess', 'signedimp-headers.nginx.conf', 'signedimp-headers.json']
  assert.equal(Object.keys(told).sort(), all.filter((path) => !own.includes(path)).sort())
  const kept = Object.keys(told).filter((path) => told[path]!['Cache-Control'] !== 'no-cache')
  const stem = (path: string) => path.replace(/[-.][\w-]{8,16}(?=\.\w+$)/, '')
  assert.equal(kept.map(stem).sort(), [
    'assets/a.js',
    'assets/b.js',
    'assets/dep.js',
    'assets/index.js',
    'assets/shared.js',
    'assets/solo.js',
    'signedimp-blob.js',
    'signedimp-manifest.txt',
    'signedimp-runtime.js',
  ])
  for (const path of kept)
    assert.is(told[path]!['Cache-Control'], 'public, max-age=31536000, immutable')
})

/** What a server makes of the files, by JSON's word for them. */
function testServer(name: 'nginx' | 'apache', url: () => string): void {
  const missing = whyNoServer(name)
  const title = `${name} sends what JSON says`
  if (missing) return skip(test, title, missing)
  test(title, async () => {
    const { files: told } = readJson(folder)
    for (const [path, headers] of Object.entries(told))
      assert.equal(await ask(url() + escape(path)), [200, headers], path)
    // A folder, and what an app's own paths fall back to, is the page that comes.
    for (const [path, file] of [
      ['', 'index.html'],
      ['sub/', 'sub/index.html'],
      ['short', 'short.html'],
      ['cart', 'index.html'],
    ] as const)
      assert.equal(await ask(url() + path), [200, told[file]], path)
    const [gone] = Object.keys(told).filter((path) => path.startsWith('assets/a-'))
    const [status, headers] = await ask(url() + gone!.replace('/a-', '/other-'))
    assert.is(status, 404)
    const policy = told['404.html']!['Content-Security-Policy']
    assert.is(headers['Content-Security-Policy'], policy)
    assert.not.match(headers['Cache-Control'] ?? '', /immutable/)
  })
}

testServer('nginx', () => `http://127.0.0.1:${port}/`)
testServer('apache', () => `http://127.0.0.1:${apachePort}/`)

test('_headers says what JSON says, of what hosts can name', () => {
  const { files: told, default: fallback } = readJson(folder)
  const rules = readHeadersFile(readFileSync(join(folder, '_headers'), 'utf8'))
  const urls: Record<string, string> = { '/': 'index.html', '/sub/': 'sub/index.html' }
  Object.assign(urls, { '/sub': 'sub/index.html', '/404': '404.html', '/short': 'short.html' })
  for (const [url, headers] of rules) assert.equal(headers, told[urls[url] ?? url.slice(1)], url)
  for (const [path, headers] of Object.entries(told)) {
    const isLeft = odd.includes(path) || JSON.stringify(headers) === JSON.stringify(fallback)
    assert.is(rules.has(`/${path}`), !isLeft, path)
  }
  for (const url of Object.keys(urls)) assert.ok(rules.has(url), url)
})

/** Changes a chunk where it is served. */
function tamper(dir: string): string {
  const name = readdirSync(join(dir, 'assets')).find((file) => /^a-.*\.js$/.test(file))!
  appendFileSync(join(dir, 'assets', name), '\nglobalThis.__evil = 1')
  return `assets/${name}`
}

const tampered = new Map<string, string>()

const missing = whyNoServer('nginx')
for (const [title, place] of [
  ['a page of nginx', () => [port, folder]],
  ['a page of nginx whose files are on another origin', () => [pagePort, join(cdnFolder, 'shop')]],
] as [string, () => [number, string]][]) {
  if (missing) skip(test, title, missing)
  else
    inEngines(test, `${title} runs, and refuses what was changed`, async (tab) => {
      const [at, dir] = place()
      const changed = tampered.get(dir) ?? tamper(dir)
      tampered.set(dir, changed)
      await tab.goto(`http://127.0.0.1:${at}/`)
      assert.is((await look(tab)).alert, '')
      assert.is(await open(tab, 'a'), `ERR_SIGNEDIMP_CHANGED ${changed}`)
      assert.is(await open(tab, 'b'), 'b café')
      assert.is((await glance(tab)).evil, 0)
      // Its own scripts run; one that the policy does not know does not.
      const own = await tab.evaluate(() => {
        const added = document.createElement('div')
        added.innerHTML = '<p onclick="globalThis.__evil = 2">x</p>'
        document.body.append(added)
        ;(added.firstChild as HTMLElement).click()
        const { first, inline, lines, __evil } = globalThis as unknown as Record<string, unknown>
        return [first, inline, lines, __evil]
      })
      assert.equal(
        own,
        [1, 'cr lf', 2, undefined].map((value) => value ?? null),
      )
      // Chromium says so of preloads that a policy blocks.
      assert.not.match(tab.messages().join('\n'), /Loading the script/)
    })
}

test.run()
