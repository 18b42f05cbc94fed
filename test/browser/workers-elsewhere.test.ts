import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { build } from 'esbuild'
import { generateKey } from '../../src/keys/generate.ts'
import { saveKey } from '../../src/keys/save.ts'
import type { signedImp } from '../../src/esbuild.ts'
import { signedimp } from '../cli/run.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'

// Workers where the build makes no page: of pages that are made when it is finished, and of entries in a page of somebody
// else, who alone says what may start beside the entry's own.

const files = {
  'package.json': '{"name":"app","type":"module"}',
  'src/main.js': `const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
worker.onmessage = ({ data }) => { globalThis.answer = data }
worker.postMessage('hello')
globalThis.refusals = []
addEventListener('signedimp:refusal', ({ detail }) => refusals.push(detail.code + ' ' + detail.path))
globalThis.strange = () => { try { new Worker('/strange.js') } catch ({ code }) { return code } }`,
  'src/worker.js': `import { dep } from './dep.js'
onmessage = async ({ data }) => postMessage([data, dep, (await import('./lazy.js')).lazy].join(' '))`,
  'src/dep.js': `export const dep = 'dep'`,
  'src/lazy.js': `import { dep } from './dep.js'\nexport const lazy = 'lazy ' + dep`,
}
const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>later</title>
<script type="module" src="/assets/main.js"></script></head><body></body></html>`

const ways = ['a page made later', 'an entry'] as const
const sites: Partial<Record<(typeof ways)[number], TestSite>> = {}

test.before(async () => {
  for (const way of ways) sites[way] = await createSite(way)
})

test.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

async function createSite(way: (typeof ways)[number]): Promise<TestSite> {
  const cwd = scratchFolder()
  await writeFiles(cwd, files)
  const key = await generateKey('ecdsa-p256')
  await saveKey(key, join(cwd, 'app.key'), { password: null })
  const plugin = (await import('../../dist/esbuild.js' as string)) as {
    signedImp: typeof signedImp
  }
  await build({
    absWorkingDir: cwd,
    entryPoints: ['src/main.js', 'src/worker.js'],
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir: join(cwd, 'dist'),
    entryNames: 'assets/[name]',
    chunkNames: 'assets/[name]-[hash]',
    logLevel: 'silent',
    plugins: [plugin.signedImp(key, way === 'an entry' ? {} : { html: 'later' }) as never],
  })
  await writeFiles(cwd, { 'dist/index.html': page })
  if (way === 'an entry') return serveApp(join(cwd, 'dist'))
  const { status, stderr } = signedimp(['html', 'dist/index.html', '--key', 'app.key'], { cwd })
  assert.is(status, 0, stderr)
  return serveApp(join(cwd, 'dist'))
}

async function start(page: Page, site: TestSite): Promise<void> {
  await page.goto(site.url)
  await page.waitFor('globalThis.answer || globalThis.refusals?.length')
}

for (const way of ways) {
  inEngines(test, `${way}: a worker runs, with what it imports`, async (page) => {
    const site = sites[way]!
    site.reset()
    await start(page, site)
    assert.is(await page.evaluate('answer'), 'hello dep lazy dep')
    if (way !== 'an entry') assert.is(await page.evaluate('strange()'), 'ERR_SIGNEDIMP_UNLISTED')
  })

  inEngines(test, `${way}: a worker that was changed does not run`, async (page) => {
    const site = sites[way]!
    site.reset()
    site.reply('assets/worker.js', { type: 'text/javascript', body: `postMessage('evil')` })
    await start(page, site)
    assert.equal(await page.evaluate('[globalThis.answer ?? null, refusals]'), [
      null,
      ['ERR_SIGNEDIMP_CHANGED assets/worker.js'],
    ])
  })
}

test.run()
