import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import { writeFiles } from '../support/fixture.ts'
import type { Page } from '../support/page.ts'
import { plainApps } from '../support/plain-apps.ts'
import { scratchFolder } from '../support/processes.ts'
import { glance, look, open, type Seen } from '../support/visit.ts'

// Folders that bundlers built without the plugin, sealed: they run as before, and refuse what is changed.

const { sealDirectory } = (await import(
  '../../dist/index.js' as string
)) as typeof import('../../src/index.ts')

/** A page by hand in a folder of its own, whose inline modules import what the build made. */
const inline = (dep: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Inline</title>
    <script>
      globalThis.refusals = []
      addEventListener('signedimp:refusal', ({ detail }) => refusals.push(detail.code + ' ' + detail.path))
    </script>
    <script type="module">
      import * as dep from '${dep}'
      globalThis.ran.push('inline')
      globalThis.app = { dep, solo: () => import('../assets/solo.js') }
    </script>
  </head>
  <body></body>
</html>
`

/** The same in a classic script, whose imports run as soon as the page is read. */
const classic = (page: string): string =>
  page
    .replace('<script type="module">', '<script>')
    .replace(/import \* as dep from ('.+')/, 'import($1).then((dep) => {')
    .replace(/(globalThis\.app = .*)/, '$1 })')

interface Sealed {
  site: TestSite
  /** Chunks by the module of the app that is in them. */
  chunks: Map<string, string>
}

const apps = new Map<string, Sealed>()

test.before(async () => {
  for (const [name, build] of Object.entries(plainApps))
    apps.set(name, await sealApp(await build()))
})

test.after(async () => {
  for (const { site } of apps.values()) await site.close()
})

async function sealApp(built: string): Promise<Sealed> {
  const dir = join(scratchFolder(), 'dist')
  cpSync(built, dir, { recursive: true })
  const scripts = readdirSync(join(dir, 'assets')).filter((file) => file.endsWith('.js'))
  const chunks = new Map(scripts.flatMap((file) => modulesIn(dir, `assets/${file}`)))
  const solo = chunks.get('solo')!.slice('assets/'.length)
  const page = inline(`../${chunks.get('dep')!}`).replace('solo.js', solo)
  await writeFiles(dir, { 'deep/module.html': page, 'deep/classic.html': classic(page) })
  await sealDirectory(dir, { key: await generateKey('ecdsa-p256'), name: 'app' })
  return { site: await serveApp(dir), chunks }
}

const modulesIn = (dir: string, path: string): [string, string][] =>
  [...readFileSync(join(dir, path), 'utf8').matchAll(/push\(['"`](\w+)['"`]\)/g)].map(
    ([, name]) => [name!, path],
  )

/** Opens all that the page opens, and tells what each came to. */
async function openAll(page: Page): Promise<Record<string, string>> {
  const names = ['a', 'b', 'solo'] as const
  const results: Record<string, string> = {}
  for (const name of names) results[name] = await open(page, name)
  return results
}

for (const name of Object.keys(plainApps)) {
  inEngines(test, `${name}: the app runs as before`, async (page) => {
    const { site } = apps.get(name)!
    site.reset()
    await page.goto(site.url)
    const { alert, ran } = await look(page)
    assert.equal([alert, ran], ['', ['dep', 'index']])
    assert.equal(await openAll(page), { a: 'a café', b: 'b café', solo: 'solo' })
    assert.equal((await glance(page)).refusals, [])
  })

  inEngines(test, `${name}: no chunk that was changed runs`, async (_, engine) => {
    const { site, chunks } = apps.get(name)!
    for (const path of new Set(chunks.values())) {
      site.reset()
      site.tamper(path, 'changed')
      // Each in a page of its own: WebKit keeps what it has loaded before.
      const page = await engine.open()
      await page.goto(site.url)
      const before = await look(page)
      const seen = before.alert === '' ? await openRest(page) : before
      assert.is(seen.evil, 0, path)
      assert.match(seen.alert + seen.refusals.join(), `ERR_SIGNEDIMP_CHANGED ${path}`)
      await page.close()
    }
  })

  // With addresses from the root, and with relative ones.
  for (const kind of /^(vite|rollup)$/.test(name) ? ['module', 'classic'] : []) {
    inEngines(test, `${name}: inline scripts run as before (${kind})`, async (page) => {
      const { site } = apps.get(name)!
      site.reset()
      await page.goto(`${site.url}deep/${kind}.html`)
      assert.is((await look(page)).ran.at(-1), 'inline')
      assert.is(await open(page, 'solo'), 'solo')
    })

    inEngines(test, `${name}: inline scripts import nothing changed (${kind})`, async (page) => {
      const { site, chunks } = apps.get(name)!
      site.reset()
      site.tamper(chunks.get('dep')!, 'changed')
      await page.goto(`${site.url}deep/${kind}.html`)
      await page.waitFor(() => (globalThis as never as { refusals: string[] }).refusals.length > 0)
      const { evil, ran, refusals } = await glance(page)
      assert.equal([evil, ran], [0, []])
      assert.match(refusals[0]!, /^ERR_SIGNEDIMP_CHANGED /)
    })
  }
}

// By hand, for no bundler above makes one of these.

const workers = {
  'index.html': `<!doctype html><meta charset="utf-8"><script type="module" src="main.js"></script>`,
  'main.js': `import './dep.js'
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
worker.onmessage = ({ data }) => { globalThis.app = data }
worker.onerror = ({ message }) => { globalThis.app = [message] }
`,
  'worker.js': `import './dep.js'
import('./lazy.js').then(({ text }) => postMessage([self.dep, text, self.__evil ?? 0]), ({ code }) => postMessage([code]))
`,
  'dep.js': `globalThis.dep = 'dep'\n`,
  'lazy.js': `export const text = 'lazy'\n`,
}

inEngines(
  test,
  'a worker that shares a module with its page is checked, and what it imports',
  async (_, engine) => {
    const dir = scratchFolder()
    await writeFiles(dir, workers)
    await sealDirectory(dir, { key: await generateKey('ecdsa-p256'), name: 'app' })
    const site = await serveApp(dir)
    const visit = async (changed?: string) => {
      site.reset()
      if (changed) site.tamper(changed, 'changed')
      const page = await engine.open(site.url)
      const { alert, evil } = await look(page)
      const told = await page.evaluate(() => (globalThis as never as { app?: unknown[] }).app)
      await page.close()
      return { told: told ?? [alert], evil }
    }
    try {
      assert.equal(await visit(), { told: ['dep', 'lazy', 0], evil: 0 })
      for (const path of ['worker.js', 'dep.js', 'lazy.js']) {
        const { told, evil } = await visit(path)
        assert.match(String(told[0]), 'ERR_SIGNEDIMP_CHANGED', path)
        assert.is(evil, 0)
      }
    } finally {
      await site.close()
    }
  },
)

async function openRest(page: Page): Promise<Seen> {
  await openAll(page)
  return glance(page)
}

test.run()
