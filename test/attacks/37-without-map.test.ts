import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { evil, evilStatement, needsOther, ways, type Way } from '../../playground/tamper.ts'
import type { Reply } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import type { Page } from '../support/browsers.ts'
import { serveEnforced, startsWithout, type Enforcement } from '../support/enforced.ts'
import { glance, open } from '../support/visit.ts'

// What a server or a cache may answer, where no import map checks it: modules that are linked in memory, and tags. 33,
// 37-47, 102, 114, 120, 121. Under a map the same is tried elsewhere.

const app = serveEnforced()
const all = { engines: 'all' } as const

type Result = 'runs' | 'hangs' | 'CHANGED' | 'MISSING' | 'NETWORK' | 'REFUSED'

/** What may become of a module that is tampered with: from blobs, and by tags where that differs. */
const expected: [attack: number, ways: Way[], blob: Result[], tags?: Result[]][] = [
  [33, ['swapped'], ['CHANGED']],
  // Whether an engine asks twice differs; the signed bytes run or nothing does.
  [37, ['changed-later'], ['runs', 'CHANGED']],
  [37, ['changed-first'], ['runs', 'REFUSED']],
  [41, ['emptied'], ['CHANGED']],
  [42, ['redirected', 'redirected-elsewhere'], ['CHANGED']],
  [43, ['truncated'], ['CHANGED']],
  [43, ['error', 'dropped', 'aborted'], ['NETWORK']],
  // The browser takes a partial answer for the whole, which it is, or the hash would not match.
  [43, ['partial'], ['NETWORK'], ['runs']],
  [44, ['changed', 'flipped'], ['CHANGED']],
  [46, ['utf16'], ['runs']],
  [47, ['mime'], ['runs'], ['REFUSED']],
  [51, ['slow'], ['runs']],
  [102, ['charset'], ['runs']],
  [114, ['redirected-same'], ['CHANGED'], ['runs']],
  [120, ['html', 'missing'], ['MISSING']],
  [121, ['endless'], ['hangs']],
]

const isTried = (way: Way) => expected.some(([, each]) => each.includes(way))
const untried = (Object.keys(ways) as Way[]).find((way) => !isTried(way))
if (untried) throw new Error(`${untried} is not tried`)

const targets = { main: 'index', static: 'dep', lazy: 'a', shared: 'shared' } as const
type Target = keyof typeof targets
const eachTarget = Object.keys(targets) as Target[]

/** What a way is tried on: for the table of results, everything; else one after the other. */
const targetsOf = (way: Way, turn: number): Target[] =>
  process.env.SIGNEDIMP_FULL
    ? eachTarget
    : [eachTarget[(Object.keys(ways).indexOf(way) + turn) % eachTarget.length]!]

for (const number of new Set(expected.map(([attacked]) => attacked))) {
  const own = expected.filter(([attacked]) => attacked === number).flatMap(([, each]) => each)
  const variants = (['blob', 'tags'] as const).flatMap((enforcement, turn) =>
    own.flatMap((way) => targetsOf(way, turn).map((target) => `${enforcement}, ${way}, ${target}`)),
  )
  attack(number, 'without a map, module', { ...all, variants }, async (page, _, variant) => {
    const [enforcement, way, target] = variant.split(', ') as [Enforcement, Way, Target]
    const path = `assets/${targets[target]}.js`
    app.site.tamper(path, way, detailOf(way))
    const result = await resultOf(page, enforcement, way, target)
    assert.is((await glance(page)).evil, 0, 'code of the attacker ran')
    const [, , blob, tags = blob] = expected.find(([, each]) => each.includes(way))!
    assert.ok((enforcement === 'blob' ? blob : tags).includes(result), result)
    return outcomeOf(result)
  })
}

/** Another signed file, or milliseconds. */
function detailOf(way: Way): string | undefined {
  if (way === 'slow') return '300'
  return needsOther.includes(way) ? 'assets/solo.js' : undefined
}

/** What became of the app or the chunk; a refusal must name the file, and another chunk must work. */
async function resultOf(
  page: Page,
  enforcement: Enforcement,
  way: Way,
  target: Target,
): Promise<Result> {
  const path = `assets/${targets[target]}.js`
  const isStatic = target === 'main' || target === 'static'
  const patience = way === 'endless' && isStatic ? 1500 : 10_000
  const alert = await Promise.race([app.start(page, enforcement, { patience }), late(patience * 2)])
  if (alert === undefined) return 'hangs'
  const said = isStatic ? alert.replace(/:[^]*/, '') : await openLazy(page, way)
  if (!isStatic) assert.is(await open(page, 'solo'), 'solo')
  if (said === 'hangs') return said
  const [, code, named] = /^ERR_SIGNEDIMP_(\w+) (\S+)$/.exec(said) ?? []
  if (code) assert.is(named, path)
  else if (isStatic) assert.equal([said, (await glance(page)).ran], ['', ['dep', 'index']])
  else assert.is(said, 'a café')
  return (code ?? 'runs') as Result
}

const late = (ms: number) =>
  new Promise<undefined>((settle) => setTimeout(() => settle(undefined), ms).unref())

const openLazy = (page: Page, way: Way): Promise<string> =>
  way === 'endless'
    ? page.evaluate(`Promise.race([app.a(), new Promise((settle) => setTimeout(settle, 1000, 'hangs'))])
        .catch(({ code }) => code)`)
    : open(page, 'a')

function outcomeOf(result: Result): string {
  if (result === 'runs') return 'ok only the signed bytes ran'
  if (result === 'hangs') return 'documented limit: nothing runs until an answer ends'
  return `refused ERR_SIGNEDIMP_${result}`
}

const file = 'assets/a.js'
const eachLeft = ['blob', 'tags']

/** What a worker that the attacker has got into the origin answers: altered bytes, to scripts, or to everybody. */
const worker = (isAnswered: string) => `
addEventListener('install', () => skipWaiting())
addEventListener('activate', (event) => event.waitUntil(clients.claim()))
addEventListener('fetch', (event) => {
  const { url, destination } = event.request
  if (new URL(url).pathname !== '/${file}' || !(${isAnswered})) return
  const alter = async () => new Response('${evilStatement}' + (await (await fetch(url)).text()),
    { headers: { 'content-type': 'text/javascript' } })
  event.respondWith(alter())
})`

const workers: Record<string, [isAnswered: string, blob: string, tags: string]> = {
  // What is linked in memory is fetched, and no script to a worker.
  'for scripts only': [`destination === 'script'`, 'runs', 'REFUSED'],
  'for fetches only': [`destination === ''`, 'CHANGED', 'runs'],
  'for everybody': ['true', 'CHANGED', 'CHANGED'],
}

attack(
  38,
  'without a map, service worker',
  {
    ...all,
    variants: eachLeft.flatMap((left) => Object.keys(workers).map((who) => `${left}, ${who}`)),
  },
  async (page, _, variant) => {
    const [left, who] = variant.split(', ') as ['blob' | 'tags', string]
    const [isAnswered, blob, tags] = workers[who]!
    app.site.reply('worker.js', { body: worker(isAnswered) })
    assert.is(await app.start(page, left), '')
    await page.evaluate(
      "navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready).then(() => 1)",
    )
    await page.waitFor('navigator.serviceWorker.controller !== null')
    const code = left === 'blob' ? blob : tags
    if (code !== 'runs') return startsWithout(app, page, left, 'a', code)
    assert.is(await app.start(page, left), '')
    assert.is(await open(page, 'a'), 'a café')
    assert.is((await glance(page)).evil, 0)
    return 'ok only the signed bytes ran'
  },
)

const forever = { 'cache-control': 'public, max-age=31536000' }

attack(
  39,
  'cache that holds altered bytes',
  { ...all, variants: ['map', ...eachLeft] },
  async (page, _, variant) => {
    const altered = { headers: forever, body: evil(app.honest(file), file) }
    app.site.reply(file, (request) => (request === 0 ? altered : undefined))
    await page.goto(app.site.url)
    // As a script would ask for it, so that the cache would answer that.
    await page.evaluate(
      `new Promise((settle) => {
        const link = document.createElement('link')
        Object.assign(link, { rel: 'preload', as: 'script', crossOrigin: 'anonymous', href: '/${file}', onload: () => settle(1), onerror: () => settle(1) })
        document.head.append(link)
      })`,
    )
    assert.is(await app.start(page, variant as Enforcement), '')
    const said = await open(page, 'a')
    assert.is((await glance(page)).evil, 0)
    assert.match(said, /^(a café|ERR_SIGNEDIMP_(REFUSED|CHANGED) assets\/a\.js)$/)
    return said === 'a café' ? 'ok only the signed bytes ran' : `refused ${said.split(' ')[0]}`
  },
)

const gzip = { 'content-encoding': 'gzip' }
const redirect = (location: string): Reply => ({ status: 302, headers: { location }, body: '' })

/** Answers that the playground's ways do not give, and the code: from blobs, and by tags where that differs. */
const answers: Record<string, [attack: number, reply: () => Reply, blob: string, tags?: string]> = {
  '304 to somebody who has nothing': [40, () => ({ status: 304, body: '' }), 'NETWORK'],
  'a redirect to data:': [42, () => redirect(`data:text/javascript,${evilStatement}`), 'NETWORK'],
  'a redirect to itself': [42, () => redirect(`/${file}`), 'NETWORK'],
  'the signed bytes with status 404': [43, () => ({ status: 404 }), 'MISSING'],
  'the signed bytes with status 500': [43, () => ({ status: 500 }), 'NETWORK'],
  'a comment more': [44, () => ({ body: `${app.honest(file)}\n/* cached */` }), 'CHANGED'],
  'altered bytes, compressed': [
    45,
    () => ({ headers: gzip, body: gzipSync(evil(app.honest(file), file)) }),
    'CHANGED',
  ],
  'compressed without saying so': [45, () => ({ body: gzipSync(app.honest(file)) }), 'CHANGED'],
  'no byte order mark': [46, () => ({ body: app.honest(file).subarray(3) }), 'CHANGED'],
}

for (const number of new Set(Object.values(answers).map(([attacked]) => attacked))) {
  const own = Object.keys(answers).filter((title) => answers[title]![0] === number)
  const variants = eachLeft.flatMap((left) => own.map((title) => `${left}, ${title}`))
  attack(number, 'without a map, answer', { ...all, variants }, (page, _, variant) => {
    const [, left, title] = /^(blob|tags), (.*)$/.exec(variant)!
    const [, reply, blob, tags = blob] = answers[title!]!
    app.site.reply(file, reply())
    return startsWithout(app, page, left as Enforcement, 'a', left === 'blob' ? blob : tags)
  })
}

attack(
  45,
  'without a map, compressed by the server',
  { ...all, variants: eachLeft },
  async (page, _, left) => {
    app.site.reply(file, { headers: gzip, body: gzipSync(app.honest(file)) })
    assert.is(await app.start(page, left as Enforcement), '')
    assert.is(await open(page, 'a'), 'a café')
    return 'ok the decoded bytes are checked'
  },
)

attacks.run()
