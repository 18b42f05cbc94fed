import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { loadPlugin, serveApp, type Reply, type TestSite } from './app.ts'
import { buildByEsbuild } from './esbuild.ts'
import { buildFixture, writeFiles, type FixtureOptions } from './fixture.ts'
import { root } from './files.ts'
import type { Page } from './page.ts'
import { noteEvents, type ViteName } from './styles-app.ts'

/** WebAssembly that exports `answer`, a function that gives a number of one byte below 64. */
export const wasm = (answer: number): Uint8Array =>
  new Uint8Array(
    [
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      [1, 5, 1, 0x60, 0, 1, 0x7f],
      [3, 2, 1, 0],
      [7, 10, 1, 6, ...Buffer.from('answer'), 0, 0],
      [10, 6, 1, 4, 0, 0x41, answer, 0x0b],
    ].flat(),
  )

/** What the app's own file answers, and what an attacker's, which differs in one byte, does. */
export const [good, evil] = [42, 43]

/** What another file of the app answers. */
export const another = 41

/** Bundlers whose builds of the app are tried. */
export type FetchBundler = ViteName | 'esbuild'

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Fetch</title>
    <script>${noteEvents}
globalThis.answer = async (response) =>
  (await WebAssembly.instantiate(await (await response).arrayBuffer())).instance.exports.answer()
    </script>
    <script type="module" src="/src/main.js"></script>
  </head>
  <body></body>
</html>
`

/** As it is published. */
const runtime = join(root, 'dist/runtime.js')

const run = `const run = async (instance) => (await instance).exports.answer()
const stream = async (...args) =>
  run((await WebAssembly.instantiateStreaming(fetch(...args))).instance)
`

/** Each way in which a bundler's users get at WebAssembly, by its name. */
const viteWays = `import init from './answer.wasm?init'
import url from './answer.wasm?url'
import other from './other.wasm?url'
import { signedFetch, signedURL } from '${runtime}'
${run}
Object.assign(globalThis, { other, signedFetch, signedURL })
const address = new URL('./answer.wasm', import.meta.url)
globalThis.app = { init: () => run(init()), url: () => stream(url), 'new URL': () => stream(address) }
`

const esbuildWays = `import url from './answer.wasm'
import other from './other.wasm'
import { signedFetch, signedURL } from '${runtime}'
${run}
Object.assign(globalThis, { other, signedFetch, signedURL })
globalThis.app = { url: () => stream(url), 'new URL': () => stream(new URL(url, import.meta.url)) }
`

/** The app's files. WebAssembly, and files in the public folder that nobody names. */
export const fetchApp = (ways: string): Record<string, string | Uint8Array> => ({
  'index.html': page,
  'src/main.js': ways,
  'src/answer.wasm': wasm(good),
  'src/other.wasm': wasm(another),
  'public/data.json': '{"answer":42}\n',
  'public/pixel.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"/>\n',
})

/** How the app is built. */
interface FetchOptions extends FixtureOptions {
  /** Options of the plugin. */
  signed?: SignedImpOptions
  /** The WebAssembly. @default a small one */
  module?: Uint8Array
}

/** Builds the app, signed by `key`, or plain without one. */
export async function buildFetch(
  key: KeyObject | undefined,
  bundler: FetchBundler,
  { signed = {}, module = wasm(good), ...options }: FetchOptions = {},
): Promise<string> {
  if (bundler === 'esbuild') {
    const files = fetchApp(esbuildWays) as Record<string, string>
    const config = { loader: { '.wasm': 'file' } as const }
    return (await buildByEsbuild(files, { key, signed, config })).dir
  }
  const signedImp = await loadPlugin()
  const plugins = key ? [signedImp(key, signed)] : []
  const files = { ...fetchApp(viteWays), 'src/answer.wasm': module }
  return buildFixture(files, { ...options, vite: bundler, plugins })
}

/** Builds the app as an entry that no page of the build starts, and a page beside it that does. */
export async function buildFetchEntry(key: KeyObject): Promise<string> {
  const signedImp = await loadPlugin()
  const { 'index.html': html, ...files } = fetchApp(viteWays)
  const config = { build: { rollupOptions: { input: '/src/main.js' } } }
  const folder = await buildFixture(files, { plugins: [signedImp(key)], config })
  const text = (html as string).replace('/src/main.js', '/assets/main.js')
  await writeFiles(folder, { 'index.html': text })
  return folder
}

/** Serves a build of the app. */
export const serveFetch = async (...args: Parameters<typeof buildFetch>): Promise<TestSite> =>
  serveApp(await buildFetch(...args))

/** The path of the app's WebAssembly. */
export const wasmPath = 'assets/answer.wasm'

/** An answer in the place of WebAssembly. */
export const asWasm = (reply: Reply): Reply => ({ type: 'application/wasm', ...reply })

/** Opens the app. */
export async function openApp(page: Page, { url }: TestSite): Promise<void> {
  await page.goto(url)
  await page.waitFor(() => 'app' in globalThis || document.querySelector('[role=alert]') !== null)
}

/** What an expression gives in the page, or the code and path of a refusal, or the name of another error. */
export const ask = (page: Page, expression: string): Promise<unknown> =>
  page.evaluate(
    `(async () => ${expression})().catch((error) =>
      typeof error.code === 'string' ? error.code + ' ' + error.path : error.name)`,
  )

/** Names of the ways. */
export const waysOf = (page: Page): Promise<string[]> =>
  page.evaluate(() => Object.keys((globalThis as never as { app: object }).app))

/** What comes of a way: what the file answers, or the code or name of what is thrown. */
export const go = (page: Page, way: string): Promise<number | string> =>
  page.evaluate(
    (name) =>
      (globalThis as never as { app: Record<string, () => Promise<number>> }).app[name]!().catch(
        ({ code, name: kind, path }) => (code ? `${code} ${path}` : kind),
      ),
    way,
  )
