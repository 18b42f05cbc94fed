import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { look } from '../support/visit.ts'
import { buildWorkers, keepScripts } from '../support/workers-app.ts'

// A page may start and end as many workers as it likes: nothing is kept for each.

let signed: TestSite

test.before(async () => {
  signed = await serveApp(await buildWorkers(await generateKey('ecdsa-p256')))
})

test.after(() => signed.close())

/** What a page holds for workers: blobs that were made, less those that were given up. */
async function startMany(page: Page, count: number): Promise<{ blobs: number; bytes: number }> {
  return page.evaluate(async (total) => {
    const { make } = globalThis as never as { make: Record<string, () => Worker> }
    const create = URL.createObjectURL
    const revoke = URL.revokeObjectURL
    let blobs = 0
    URL.createObjectURL = (blob) => (blobs++, create.call(URL, blob))
    URL.revokeObjectURL = (url) => (blobs--, revoke.call(URL, url))
    const bytes = () =>
      (performance as never as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize ?? 0
    const runOne = () =>
      new Promise<void>((settle, fail) => {
        const worker = make.order!()
        worker.onmessage = () => {
          worker.terminate()
          settle()
        }
        worker.onerror = () => fail(new Error('a worker failed'))
        worker.postMessage('end')
      })
    const before = bytes()
    for (let started = 0; started < total; started += 10)
      await Promise.all(Array.from({ length: 10 }, runOne))
    return { blobs, bytes: bytes() - before }
  }, count)
}

const counts = { 'fetched before': 1000, 'fetched by itself': 200 }

for (const [way, count] of Object.entries(counts))
  inEngines(
    test,
    `${count} workers, ${way}`,
    async (page, engine) => {
      signed.reset()
      if (way === 'fetched by itself') keepScripts(signed)
      await page.goto(signed.url)
      assert.is((await look(page)).alert, '')
      await new Promise((settle) => setTimeout(settle, 400))
      const first = await startMany(page, 20)
      // Those that start the worker, once.
      assert.ok(first.blobs <= 2, `${first.blobs} blobs`)
      let [blobs, bytes] = [0, 0]
      for (let started = 0; started < count; started += 50) {
        const more = await startMany(page, 50)
        blobs += more.blobs
        bytes += more.bytes
      }
      assert.is(blobs, 0)
      // Chromium alone says what its heap holds.
      if (engine.name === 'chromium') assert.ok(bytes < 2000 * count, `${bytes} bytes`)
    },
    { timeoutMs: 400_000 },
  )

test.run()
