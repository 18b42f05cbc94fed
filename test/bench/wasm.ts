import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve, type Site } from '../../playground/server.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { whyMissing } from '../support/binaries.ts'
import { launch, selectedEngines, type Engine } from '../support/browsers.ts'
import { buildFetch, openApp, wasmPath } from '../support/fetch-app.ts'
import type { TestSite } from '../support/app.ts'
import { rotate, say } from './progress.ts'
import { formatRatio, median, ratioOf } from './statistics.ts'
import type { Section } from './table.ts'

/** How a page gets at its module: with nothing that checks it, or by a `fetch` that does. */
const variants = ['plain', 'verified'] as const
type Variant = (typeof variants)[number]

/** Megabytes a second that the server sends, or as many as it can. */
const paces = [Infinity, 20]

/** Milliseconds of each run. */
interface Cell {
  engine: string
  pace: number
  runs: Record<Variant, number[]>
}

/** Measures `instantiateStreaming` of 20 MB, plain and verified in turns: a browser that compares hands nothing out before its end. */
export async function measureWasm(quick: boolean): Promise<Section> {
  const module = largeModule(20 << 20)
  const notes = [`${(module.length / 1e6).toFixed(1)} MB, from fetch to the instance, median ms`]
  const cells: Cell[] = []
  for (const pace of paces) {
    const sites = await serveBoth(module, pace)
    for (const name of selectedEngines().filter((engine) => !whyMissing(engine))) {
      say(`wasm: ${name}, ${paceName(pace)}`)
      const engine = await launch(name)
      cells.push(await measureIn(engine, sites, pace, quick ? 3 : 9))
      await engine.close()
      if (pace === paces[0]) notes.push(`${name} ${engine.version}`)
    }
    for (const site of Object.values(sites)) await site.close()
  }
  const rows = cells.map(({ engine, pace, runs: { plain, verified } }) => [
    `${engine}, ${paceName(pace)}`,
    median(plain).toFixed(0),
    median(verified).toFixed(0),
    formatRatio(ratioOf(verified, plain)),
  ])
  const columns = ['engine and line', ...variants, 'ratio']
  return { data: cells, tables: [{ title: 'WebAssembly, streamed', notes, columns, rows }] }
}

const paceName = (pace: number): string => (pace === Infinity ? 'loopback' : `${pace} MB/s`)

async function measureIn(
  engine: Engine,
  sites: Record<Variant, Site>,
  pace: number,
  rounds: number,
): Promise<Cell> {
  const runs: Cell['runs'] = { plain: [], verified: [] }
  // The first one warms up.
  for (let round = 0; round <= rounds; round++)
    for (const variant of rotate([...variants], round)) {
      const measure = () => measureOnce(engine, sites[variant])
      // Drivers of browsers fail now and then on a busy machine.
      const ms = await measure().catch(measure)
      if (round > 0) runs[variant].push(ms)
    }
  return { engine: engine.name, pace, runs }
}

/** In a context of its own, which has compiled nothing. */
async function measureOnce(engine: Engine, site: Site): Promise<number> {
  const page = await engine.open()
  try {
    await openApp(page, site as TestSite)
    return await page.evaluate(async (url) => {
      const started = performance.now()
      const { instance } = await WebAssembly.instantiateStreaming(fetch(url))
      const ms = performance.now() - started
      if ((instance.exports as { answer(): number }).answer() !== 42) throw new Error('no answer')
      return ms
    }, `/${wasmPath}`)
  } finally {
    await page.close()
  }
}

async function serveBoth(module: Uint8Array, pace: number): Promise<Record<Variant, Site>> {
  const key = await generateKey('ecdsa-p256')
  const serveOne = async (own: typeof key | undefined) =>
    serve(await buildFetch(own, 'vite', { module }), {
      async handle(_, response, path) {
        if (path !== wasmPath) return false
        await send(response, module, pace)
        return true
      },
    })
  return { plain: await serveOne(undefined), verified: await serveOne(key) }
}

async function send(response: ServerResponse, bytes: Uint8Array, pace: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/wasm', 'cache-control': 'no-store' })
  // Fifty pieces a second.
  const piece = Math.min(bytes.length, (pace * 1e6) / 50)
  for (let at = 0; at < bytes.length; at += piece) {
    response.write(bytes.subarray(at, at + piece))
    if (piece < bytes.length) await sleep(20)
  }
  response.end()
}

/** A module of so many bytes, nearly all of them code, that exports `answer`, its first function. */
function largeModule(size: number): Uint8Array {
  const pair = [0x41, 1, 0x41, 2, 0x6a, 0x1a]
  const body = [0, ...Array.from({ length: 170 }, () => pair).flat(), 0x41, 42, 0x0b]
  const code = Buffer.from([...leb(body.length), ...body])
  const count = Math.floor(size / code.length)
  const section = (id: number, content: Buffer) =>
    Buffer.concat([Buffer.from([id, ...leb(content.length)]), content])
  return Buffer.concat([
    Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    section(1, Buffer.from([1, 0x60, 0, 1, 0x7f])),
    section(3, Buffer.concat([Buffer.from(leb(count)), Buffer.alloc(count)])),
    section(7, Buffer.from([1, 6, ...Buffer.from('answer'), 0, 0])),
    section(
      10,
      Buffer.concat([Buffer.from(leb(count)), ...Array.from({ length: count }, () => code)]),
    ),
  ])
}

/** An unsigned number as WebAssembly writes it (LEB128). */
function leb(value: number): number[] {
  const low = value & 0x7f
  return value < 0x80 ? [low] : [low | 0x80, ...leb(value >>> 7)]
}
