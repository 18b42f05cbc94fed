import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rewriteModule } from '../../src/emit/rewrite.ts'
import { style } from '../../src/graph/style.ts'
import { elementsOf } from '../emit/emitted.ts'
import { inEngines } from '../support/browsers.ts'
import { writeInto } from '../tree/folder.ts'
import { jsonOf, signedimp } from './run.ts'
import { addKey, appFolder } from './workplace.ts'

const main = `import './vendor.js'
export const a = () => import('./a.js'), any = (name) => import(name), image = './logo.svg'`

/** A page that starts `main`, which was written anew as a build does that, and loads what is loaded in each way; signed. */
async function release(files: Record<string, string> = {}) {
  const cwd = appFolder()
  const { code } = await rewriteModule('assets/main.js', main)
  for (const [path, text] of Object.entries({
    'index.html':
      '<link rel="stylesheet" href="/below/assets/look.css"><script data-entry="assets%2Fmain.js"></script>',
    'assets/main.js': code,
    'assets/vendor.js': 'export {}',
    'assets/look.css': 'p {}',
    'assets/logo.svg': '<svg/>',
    'assets/a.js.map': '{}',
    ...files,
  }))
    writeInto(cwd, `dist/${path}`, text)
  const key = await addKey(cwd, 'a.key')
  const run = (...args: string[]) => signedimp(args, { cwd })
  const { status, stderr } = run('sign', 'dist', '--key', 'a.key', '--name', 'shop', '--build', '7')
  assert.is(status, 0, stderr)
  const graph = (...args: string[]) => run('graph', 'dist', '--key', 'a.key.pub', ...args)
  return { cwd, key, run, graph }
}

const fileOf = (report: any, path: string) =>
  report.graph.find((file: { path: string }) => file.path === path)

test('each file is told with its size, its verdict, and what loads it in which way', async () => {
  const { key, graph } = await release()
  const { status, stdout, stderr } = graph('--name', 'shop')
  assert.is(status, 0, stderr)
  assert.is(stderr, 'dist is as signed for "shop".\n')
  const lines = stdout.replace(/\(\d+ B\)/g, '(size)').split('\n')
  assert.equal(lines, [
    'name    shop',
    'build   7',
    'hash    sha256',
    'files   7',
    `signer  ${key}`,
    'as signed  assets/a.js (size)',
    '           <- assets/main.js (dynamic)',
    'as signed  assets/a.js.map (size)',
    'as signed  assets/logo.svg (size)',
    '           <- assets/main.js (text)',
    'as signed  assets/look.css (size)',
    '           <- index.html (page)',
    'as signed  assets/main.js (size)',
    '           <- index.html (page)',
    'as signed  assets/vendor.js (size)',
    '           <- assets/main.js (static)',
    'as signed  index.html (size)',
    '',
  ])
})

test('--json says the same, of a zip file too', async () => {
  const { cwd, key, run, graph } = await release()
  execFileSync('zip', ['-qr', '../app.zip', '.'], { cwd: join(cwd, 'dist') })
  const report = jsonOf(graph('--json'))
  assert.equal(jsonOf(run('graph', 'app.zip', '--key', 'a.key.pub', '--json')), report)
  assert.equal([report.signers, report.build, report.files], [[key], 7, 7])
  assert.equal(fileOf(report, 'assets/main.js'), {
    path: 'assets/main.js',
    kind: 'script',
    bytes: readFileSync(join(cwd, 'dist/assets/main.js')).length,
    verdict: 'as signed',
    loads: [
      { path: 'assets/vendor.js', way: 'static' },
      { path: 'assets/a.js', way: 'dynamic' },
      { path: 'assets/logo.svg', way: 'text' },
    ],
    loadedBy: [{ path: 'index.html', way: 'page' }],
    isOpen: true,
    isReportOnly: false,
  })
})

test('what is not as signed is named, with status 1, and its text counts for nothing', async () => {
  const { cwd, graph } = await release()
  writeInto(cwd, 'dist/assets/main.js', "import './look.css'")
  writeInto(cwd, 'dist/new.js', "import './assets/vendor.js'")
  for (const path of ['assets/vendor.js', 'assets/a.js.map']) rmSync(join(cwd, 'dist', path))
  const { status, stdout, stderr } = graph('--html', 'graph.html')
  assert.equal([status, stdout], [1, 'page  graph.html\n'])
  assert.is(stderr, '3 files of dist are not as signed.\n')
  const report = jsonOf(graph('--json'))
  for (const [path, verdict] of [
    ['assets/main.js', 'changed'],
    ['assets/vendor.js', 'missing'],
    ['assets/a.js.map', 'deleted'],
    ['new.js', 'unlisted'],
    ['assets/a.js', 'as signed'],
  ] as const)
    assert.is(fileOf(report, path).verdict, verdict, path)
  assert.equal(fileOf(report, 'assets/main.js').loads, [])
  assert.equal(fileOf(report, 'assets/vendor.js').loadedBy, [])
  const shown = elementsOf(readFileSync(join(cwd, 'graph.html'), 'utf8'))
  const pills = shown.filter(({ attributes }) => attributes['class']?.startsWith('pill'))
  const count = (kind: string) =>
    pills.filter(({ attributes }) => attributes['class'] === kind).length
  assert.equal([count('pill good'), count('pill bad')], [5, 3])
})

test('what nobody has signed is no graph, and leaves no page', async () => {
  const { cwd, run, graph } = await release()
  await addKey(cwd, 'b.key')
  const by = (key: string, ...args: string[]) =>
    run('graph', 'dist', '--key', key, '--html', 'graph.html', '--json', ...args)
  for (const [result, status, code] of [
    [by('b.key.pub'), 1, 'ERR_SIGNEDIMP_SIGNATURE'],
    [by('a.key.pub', '--name', 'bank'), 1, 'ERR_SIGNEDIMP_NAME'],
    [by('a.key.pub', '--build', '8'), 1, 'ERR_SIGNEDIMP_ROLLBACK'],
    [by('a.key.pub', '--threshold', '2'), 2, undefined],
    [by('a.key'), 2, 'ERR_SIGNEDIMP_KEY'],
    [graph('--html', 'dist/graph.html', '--json'), 2, undefined],
    [graph('--html', 'nowhere/graph.html', '--json'), 2, undefined],
  ] as const) {
    assert.equal([result.status, jsonOf(result).error.code], [status, code])
    assert.not.ok(existsSync(join(cwd, 'graph.html')))
    assert.not.ok(existsSync(join(cwd, 'dist/graph.html')))
  }
})

const evil = [
  '<img src=x onerror=evil()>',
  '"><script>evil()<',
  "' onload='evil()",
  'a\u202egnp',
  '&lt;b',
]

test('a name of a file is nothing but a name', async () => {
  const { cwd, graph } = await release({ 'assets/<svg onload=evil()>.js': 'export {}' })
  for (const name of evil) writeInto(cwd, `dist/${name.replaceAll('/', '')}.js`, 'export {}')
  assert.is(graph('--html', 'graph.html').status, 1)
  const html = readFileSync(join(cwd, 'graph.html'), 'utf8')
  const elements = elementsOf(html)
  const tags = new Set(elements.map(({ name }) => name))
  for (const tag of ['script', 'img', 'iframe', 'b', 'link', 'object']) assert.not.ok(tags.has(tag))
  const names = new Set(elements.flatMap(({ attributes }) => Object.keys(attributes)))
  assert.equal(
    [...names].filter((name) => name.startsWith('on') || name === 'style'),
    [],
  )
  for (const { attributes } of elements)
    if (attributes['href']) assert.match(attributes['href'], /^#file-\d+$/)
  assert.not.match(html, '\u202e')
  assert.match(html, 'a\\u202egnp.js')
})

inEngines(test, 'the page needs nothing else, runs nothing, and can be read', async (page) => {
  const { cwd, graph } = await release()
  writeInto(cwd, `dist/${evil[0]}.js`, 'export {}')
  graph('--html', 'graph.html')
  await page.goto(pathToFileURL(join(cwd, 'graph.html')).href)
  const seen = await page.evaluate(() => {
    const all = (selector: string) => [...document.querySelectorAll(selector)]
    const links = all('a[href]') as HTMLAnchorElement[]
    return {
      title: document.title,
      lang: document.documentElement.lang,
      loaded: performance.getEntriesByType('resource').length,
      styled: getComputedStyle(document.querySelector('.pill')!).display,
      dead: links.filter(({ hash }) => !document.querySelector(hash)).length,
      links: links.length,
      headings: all('h1, h2').map(({ textContent }) => textContent),
      rows: all('tbody tr:not(:first-child) > th[scope=row]').length,
      columns: all('thead th[scope=col]').length,
      drawing: document.querySelector('svg[role=img]')!.getAttribute('aria-label'),
      // What scrolls must be reached without a mouse.
      scrolled: all('.scroll').filter((box) => (box as HTMLElement).tabIndex !== 0).length,
      evil: typeof (globalThis as { evil?: unknown }).evil,
      first: document.querySelector('.verdict')!.textContent!.slice(0, 15),
    }
  })
  const { links, ...rest } = seen
  assert.ok(links > 8)
  assert.equal(rest, {
    title: 'shop build 7: what loads what',
    lang: 'en',
    loaded: 0,
    styled: 'inline-block',
    dead: 0,
    headings: ['shop build 7', 'What loads what', 'Files'],
    rows: 8,
    columns: 5,
    drawing: 'The table below as a drawing',
    scrolled: 0,
    evil: 'undefined',
    first: '✗ Not as signed',
  })
})

/** Relative luminance (WCAG 2.2). */
function luminance(colour: string): number {
  const hex = colour.length === 4 ? colour.replace(/[\da-f]/g, '$&$&') : colour
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

for (const [at, look] of ['light', 'dark'].entries())
  test(`texts stand out from what is behind them, ${look}`, () => {
    const block = style.split(':root {')[at + 1]!.split('}')[0]!
    const colours = new Map([...block.matchAll(/--([\w-]+): (#\w+)/g)].map(([, a, b]) => [a, b!]))
    for (const [front, ...backs] of [
      ['text', 'back', 'card', 'mark'],
      ['soft', 'back', 'card', 'mark'],
      ['link', 'back', 'card', 'bad-back', 'mark'],
      ['good', 'good-back'],
      ['bad', 'bad-back'],
    ])
      for (const back of backs) {
        const [a, b] = [front!, back].map((name) => luminance(colours.get(name)!) + 0.05)
        const contrast = Math.max(a! / b!, b! / a!)
        assert.ok(contrast >= 4.5, `${front} on ${back}: ${contrast}`)
      }
  })

test.run()
