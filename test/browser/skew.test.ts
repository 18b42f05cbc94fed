import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { buildEntries, entryBundlers, entryFiles, tagOf, visitEntry } from '../support/entry-app.ts'
import { scratchFolder } from '../support/processes.ts'

// A deploy under an open page, of each bundler's own output, with hashes in its names: what the page loads later is of its
// own build as long as that is kept. (Of pages that a build makes: attacks 80, 119.)

type Bundler = (typeof entryBundlers)[number]
const builds = {} as Record<Bundler, [before: string, after: string]>

const hashed: Record<Bundler, object> = {
  rollup: { entryFileNames: '[name]-[hash].js' },
  rolldown: { entryFileNames: '[name]-[hash].js' },
  esbuild: { entryNames: '[name]-[hash]', chunkNames: 'deep/[name]-[hash]' },
}

test.before(async () => {
  const key = await generateKey('ed25519')
  const lazy = entryFiles['src/deep/lazy.js']!.replace("'lazy '", "'new lazy '")
  for (const bundler of entryBundlers) {
    const build = (number: number, files = {}) =>
      buildEntries(key, { bundler, files, signed: { build: number }, output: hashed[bundler] })
    builds[bundler] = [await build(1), await build(2, { 'src/deep/lazy.js': lazy })]
  }
})

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'))

/** The one file of a build that matches. */
function find(folder: string, pattern: RegExp, text = ''): string {
  const isIt = (path: string) =>
    pattern.test(path) && readFileSync(join(folder, path), 'utf8').includes(text)
  const [path, ...more] = filesOf(folder).filter(isIt)
  assert.ok(path !== undefined && more.length === 0, `${pattern} in ${filesOf(folder)}`)
  return path!
}

const openLazy = (page: Page): Promise<string> =>
  page.evaluate(() =>
    (globalThis as unknown as { app: { lazy(): Promise<{ text: string }> } }).app.lazy().then(
      ({ text }) => text,
      ({ code, path }) => `${code} ${path}`,
    ),
  )

for (const bundler of entryBundlers)
  inEngines(test, `${bundler}: a deploy under an open page`, async (page) => {
    const [before, after] = builds[bundler]
    const host = scratchFolder()
    cpSync(before, host, { recursive: true })
    const main = find(before, /^main-[\w-]+\.js$/, 'main:"main-')
    const lazy = find(before, /lazy/, 'lazy ')
    assert.not.ok(filesOf(after).includes(lazy))
    const site = await serveApp(host)
    try {
      for (const isKept of [true, false]) {
        await visitEntry(page, site, tagOf(main))
        if (isKept) cpSync(after, host, { recursive: true })
        else rmSync(join(host, lazy))
        assert.is(
          await openLazy(page),
          isKept ? 'lazy caféleft' : `ERR_SIGNEDIMP_VERSION_SKEW ${lazy}`,
        )
      }
      await visitEntry(page, site, tagOf(find(after, /^main-[\w-]+\.js$/, 'main:"main-')))
      assert.is(await openLazy(page), 'new lazy caféleft')
    } finally {
      await site.close()
    }
  })

test.run()
