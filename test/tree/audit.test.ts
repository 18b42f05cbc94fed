import { readFileSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { utf8 } from '../../src/crypto/bytes.ts'
import { formatManifest } from '../../src/manifest/format.ts'
import { signText, storeManifest } from '../../src/manifest/sign.ts'
import { auditSite, manifestUrl, type AuditOptions } from '../../src/tree/audit.ts'
import type { FilesRefusedError } from '../../src/tree/refused.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { serveBy, type SmallServer } from '../support/small-server.ts'
import { throwsCode } from '../support/throws.ts'
import { addPageManifest, folderOf, newSigner, writeInto } from './folder.ts'

const signer = await newSigner()
const manifestName = 'signedimp-manifest.txt'
const quick = { tries: 3, pause: 1, stall: 1000, total: 2000 }

type Answer = (response: ServerResponse, body: Buffer) => void

/** A site that is signed, and answers for some of its paths otherwise. */
async function siteOf(answers: Record<string, Answer> = {}, files: Record<string, string> = {}) {
  const dir = await folderOf({ 'assets/a.js': 'a', 'b é#%.txt': 'b', 'a.js.map': '{}', ...files })
  const page = await addPageManifest(dir, signer, ['assets/a.js'], { build: 3 })
  writeInto(dir, 'index.html', `<script data-manifest="${page}">`)
  await signDirectory(dir, signer, { name: 'shop', build: 3 })
  const server = await serveBy((path, response) => {
    const answer = answers[path.replace(page, '<page>')]
    try {
      const body = readFileSync(join(dir, path))
      if (answer) answer(response, body)
      else response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  return { dir, page, server }
}

const trust = { keys: [signer.key], threshold: 1, name: 'shop' }

async function audit(server: SmallServer, options: Partial<AuditOptions> = {}) {
  try {
    const url = manifestUrl(server.url)
    return await auditSite(url, { trust, concurrency: 4, patience: quick, ...options })
  } finally {
    await server.close()
  }
}

/** What is found to be wrong with a site. */
async function problemsOf(answers: Record<string, Answer>, files = {}): Promise<string[]> {
  const { server, page } = await siteOf(answers, files)
  const error = await throwsCode(() => audit(server), 'ERR_SIGNEDIMP_FILES')
  return (error as unknown as FilesRefusedError).problems.map(
    ({ path, problem, reason }) =>
      `${problem} ${path.replace(page, '<page>')}${reason ? `: ${reason}` : ''}`,
  )
}

test('a site that serves what was signed passes, and what it is, is told', async () => {
  const { server, page } = await siteOf()
  const told: string[] = []
  const progress = (done: number, of: number) => void told.push(`${done}/${of}`)
  assert.equal(await audit(server, { progress }), {
    url: `${server.url}${manifestName}`,
    hash: 'sha256',
    name: 'shop',
    build: 3,
    files: 4,
    bytes: 4 + `<script data-manifest="${page}">`.length,
    pageManifests: [page],
    missingSourceMaps: [],
  })
  assert.equal(told, ['1/4', '2/4', '3/4', '4/4'])
  assert.is(server.asked.filter((path) => path === '/b é#%.txt').length, 1)
})

test('each difference is found and named', async () => {
  const status =
    (code: number): Answer =>
    (response) =>
      void response.writeHead(code).end()
  assert.equal(await problemsOf({ '/assets/a.js': (response) => void response.end('z') }), [
    'changed assets/a.js',
  ])
  assert.equal(await problemsOf({ '/assets/a.js': status(404) }), [
    'missing assets/a.js: status 404',
  ])
  assert.equal(await problemsOf({ '/assets/a.js': status(500), '/index.html': status(403) }), [
    'changed assets/a.js: status 500',
    'changed index.html: status 403',
  ])
  const moved: Answer = (response) =>
    void response.writeHead(302, { Location: '/assets/a.js?moved' }).end()
  assert.equal(await problemsOf({ '/assets/a.js': moved }), [
    'changed assets/a.js: is a redirect, which pages refuse',
  ])
  assert.equal(await problemsOf({ '/<page>': status(404) }), ['missing <page>: status 404'])
  const [flipped] = await problemsOf({
    '/<page>': (response, body) => void response.end(body.toString().replace('shop', 'sh0p')),
  })
  assert.match(flipped!, /^changed <page>: not signed by [0-9a-f]{64}$/)
  const cut: Answer = (response, body) => {
    response.writeHead(200, { 'Content-Length': body.length + 5 }).write(body)
    setTimeout(() => response.destroy(), 10)
  }
  const [broken] = await problemsOf({ '/assets/a.js': cut })
  assert.match(broken!, /^changed assets\/a\.js: no answer: /)
  assert.equal(await problemsOf({ '/assets/a.js': () => {} }), [
    'changed assets/a.js: no answer in time',
  ])
})

test('an answer that never ends is not waited for', async () => {
  const timers: NodeJS.Timeout[] = []
  const endless: Answer = (response) => void timers.push(setInterval(() => response.write('x'), 20))
  const start = performance.now()
  assert.equal(await problemsOf({ '/assets/a.js': endless }), [
    'changed assets/a.js: no answer in time',
  ])
  assert.ok(performance.now() - start < 15_000)
  for (const timer of timers) clearInterval(timer)
})

test('a busy host is asked again, and gets the time that it asks for', async () => {
  let asked = 0
  const { server } = await siteOf({
    '/assets/a.js': (response, body) => {
      asked++
      if (asked === 1) response.writeHead(503, { 'Retry-After': '1' }).end()
      else if (asked === 2) response.destroy()
      else response.end(body)
    },
  })
  const start = performance.now()
  assert.is((await audit(server)).files, 4)
  assert.is(asked, 3)
  assert.ok(performance.now() - start >= 1000)
})

test('source maps need not be there; changed ones are told', async () => {
  const { server } = await siteOf({ '/a.js.map': (response) => void response.writeHead(404).end() })
  assert.equal((await audit(server)).missingSourceMaps, ['a.js.map'])
  assert.equal(await problemsOf({ '/a.js.map': (response) => void response.end('x') }), [
    'changed a.js.map',
  ])
})

test('a source map that is not had for another reason than its absence is told', async () => {
  const answer: Answer = (response) => void response.writeHead(500).end()
  assert.equal(await problemsOf({ '/a.js.map': answer }), ['changed a.js.map: status 500'])
})

test('a page manifest of an older build that a page names is no fault', async () => {
  const { server, dir } = await siteOf({}, { 'other.html': '' })
  const page = await addPageManifest(dir, signer, ['assets/a.js'], { build: 2 })
  writeInto(dir, 'other.html', `<script data-manifest="${page}">`)
  await signDirectory(dir, signer)
  const { pageManifests } = await audit(server, { trust: { ...trust, build: 3 } })
  assert.ok(pageManifests.includes(page))
})

test('pages must name page manifests that belong to the site', async () => {
  for (const [reason, change] of [
    ['for "bank"', { name: 'bank' }],
    [
      'it lists b é#%.txt otherwise than the manifest',
      { files: new Map([['b é#%.txt', 'f'.repeat(64)]]) },
    ],
    [
      'it lists old.js otherwise than the manifest',
      { files: new Map([['old.js', 'f'.repeat(64)]]) },
    ],
  ] as const) {
    const { server, dir } = await siteOf({}, { 'other.html': '' })
    // Nobody can sign a folder with such a page manifest in it: it came there later.
    const page = await addPageManifest(dir, signer, ['assets/a.js'], { build: 3, ...change })
    const text = readFileSync(join(dir, page))
    rmSync(join(dir, page))
    writeInto(dir, 'other.html', `<script data-manifest="${page}">`)
    await signDirectory(dir, signer)
    writeInto(dir, page, text)
    const untold = { trust: { ...trust, name: undefined } }
    const error = await throwsCode(() => audit(server, untold), 'ERR_SIGNEDIMP_FILES')
    assert.match(error.message, `${page} changed (`)
    assert.match(error.message, reason)
  }
})

test('a page manifest under a name that its text does not give it is told', async () => {
  const { server, dir, page } = await siteOf({}, { 'other.html': '' })
  const moved = `signedimp-manifest.${'0'.repeat(16)}.txt`
  writeInto(dir, 'other.html', `<script data-manifest="${moved}">`)
  await signDirectory(dir, signer)
  writeInto(dir, moved, readFileSync(join(dir, page)))
  const error = await throwsCode(() => audit(server), 'ERR_SIGNEDIMP_FILES')
  assert.match(error.message, `${moved} changed (it is not named by the hash of its text)`)
})

test('a manifest of which two files have one address is refused', async () => {
  const { server, dir } = await siteOf()
  const listed = ['A.txt', 'a.txt'].map((path) => [path, 'f'.repeat(64)] as const)
  const text = utf8(
    formatManifest({ hash: 'sha256', name: 'shop', imports: new Map(), files: new Map(listed) }),
  )
  writeInto(dir, manifestName, storeManifest([await signText(text, signer)], text))
  await throwsCode(() => audit(server), 'ERR_SIGNEDIMP_PATH')
})

test('pages may be redirected, as hosts do with index.html, but must be what was signed', async () => {
  const moved: Answer = (response) => void response.writeHead(308, { Location: '/page' }).end()
  const { server, dir } = await siteOf({ '/index.html': moved })
  writeInto(dir, 'page', readFileSync(join(dir, 'index.html')))
  assert.is((await audit(server)).pageManifests.length, 1)
  assert.equal(await problemsOf({ '/index.html': moved }), ['missing index.html: status 404'])
  assert.equal(await problemsOf({ '/index.html': moved }, { page: 'another' }), [
    'changed index.html',
  ])
})

test('no more requests are made at a time than were allowed', async () => {
  let open = 0
  let most = 0
  const files = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`${at}.txt`, `${at}`]))
  const slow: Answer = (response, body) => {
    most = Math.max(most, ++open)
    setTimeout(() => {
      open--
      response.end(body)
    }, 10)
  }
  const answers = Object.fromEntries(Object.keys(files).map((path) => [`/${path}`, slow]))
  const { server } = await siteOf(answers, files)
  assert.is((await audit(server, { concurrency: 3 })).files, 24)
  assert.is(most, 3)
})

test('the manifest is asked first, and must be there and signed', async () => {
  for (const [answer, code] of [
    [(response: ServerResponse) => void response.writeHead(404).end(), 'MISSING'],
    [(response: ServerResponse) => void response.writeHead(503).end(), 'NETWORK'],
    [() => {}, 'TIMEOUT'],
    [(response: ServerResponse) => void response.end('<!doctype html>'), 'MANIFEST_INVALID'],
    [
      (response: ServerResponse, body: Buffer) =>
        void response.end(body.toString().replace('build: 3', 'build: 4')),
      'SIGNATURE',
    ],
  ] as [Answer, string][]) {
    const { server } = await siteOf({ [`/${manifestName}`]: answer })
    await throwsCode(() => audit(server), `ERR_SIGNEDIMP_${code}`)
    assert.equal([...new Set(server.asked)], [`/${manifestName}`])
  }
  const { server } = await siteOf()
  const other = { ...trust, name: 'bank' }
  await throwsCode(() => audit(server, { trust: other }), 'ERR_SIGNEDIMP_NAME')
})

test('the address is that of the manifest, or of its folder', () => {
  for (const [given, address] of [
    ['https://shop.example', `https://shop.example/${manifestName}`],
    ['https://shop.example/app/', `https://shop.example/app/${manifestName}`],
    ['https://shop.example/app/m.txt#x', 'https://shop.example/app/m.txt'],
  ])
    assert.is(manifestUrl(given!), address)
})

test.run()
