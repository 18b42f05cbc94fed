import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import type { TestSite } from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import {
  asWasm,
  evil,
  go,
  good,
  openApp,
  serveFetch,
  wasm,
  wasmPath,
  waysOf,
  type FetchBundler,
} from '../support/fetch-app.ts'
import { heardOf, viteNames } from '../support/styles-app.ts'

// WebAssembly as each bundler's users write it, without a word about it in the source: as signed, or not at all.

const bundlers: readonly FetchBundler[] = [...viteNames, 'esbuild']
const sites = {} as Record<FetchBundler, TestSite>

test.before(async () => {
  const key = await generateKey('ecdsa-p256')
  for (const bundler of bundlers) sites[bundler] = await serveFetch(key, bundler)
})

test.after(async () => {
  for (const site of Object.values(sites)) await site.close()
})

for (const bundler of bundlers) {
  inEngines(test, `${bundler}: signed WebAssembly runs`, async (page) => {
    const site = sites[bundler]
    site.reset()
    await openApp(page, site)
    const ways = await waysOf(page)
    assert.is(ways.length, bundler === 'esbuild' ? 2 : 3)
    for (const way of ways) assert.is(await go(page, way), good, way)
    assert.equal(await heardOf(page, 0), [])
  })

  inEngines(test, `${bundler}: WebAssembly with one other byte does not run`, async (page) => {
    const site = sites[bundler]
    site.reset()
    site.reply(wasmPath, asWasm({ body: wasm(evil) }))
    await openApp(page, site)
    const ways = await waysOf(page)
    const refused = `ERR_SIGNEDIMP_CHANGED ${wasmPath}`
    for (const way of ways) assert.is(await go(page, way), refused, way)
    assert.equal(
      await heardOf(page, ways.length),
      ways.map(() => refused),
    )
  })
}

test.run()
