import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serve, type Site, type SiteOptions } from '../../playground/server.ts'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import type { KeySource } from '../../src/keys/private.ts'
import { atEnd, buildByEsbuild } from './esbuild.ts'
import { buildFixture, type FixtureOptions } from './fixture.ts'

/**
 * The app that attacks are tried on: `index` imports `dep`, and opens `a` and `b`, which share `shared` (not ASCII),
 * and `solo`, which stands alone. What runs notes its name in `ran`.
 */
export const appFiles: Record<string, string> = {
  'index.html': `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>App</title>
    <script type="module" src="/src/main.js"></script>
    <script>
      globalThis.refusals = []
      addEventListener('signedimp:refusal', ({ detail }) => refusals.push(detail.code + ' ' + detail.path))
    </script>
  </head>
  <body></body>
</html>
`,
  'src/main.js': `import { dep } from './dep.js'
ran.push('index')
globalThis.app = {
  dep,
  url: import.meta.url,
  a: () => import('./a.js'),
  b: () => import('./b.js'),
  solo: () => import('./solo.js'),
  any: (specifier, options) => import(/* @vite-ignore */ specifier, options),
}
`,
  'src/dep.js': `(globalThis.ran ??= []).push('dep')
export const dep = ['dep', typeof globalThis]
`,
  'src/shared.js': `ran.push('shared')
export const shared = ['café', typeof globalThis]
`,
  'src/a.js': `import { shared } from './shared.js'
ran.push('a')
export const text = 'a ' + shared[0]
export const url = import.meta.url
`,
  'src/b.js': `import { shared } from './shared.js'
ran.push('b')
export const text = 'b ' + shared[0]
`,
  'src/solo.js': `ran.push('solo')
export const text = 'solo'
export const url = import.meta.url
`,
}

/** The bundlers whose builds of the app are attacked. */
export const appBundlers = ['vite', 'esbuild'] as const
export type AppBundler = (typeof appBundlers)[number]

/** How {@link buildSigned} builds. */
export interface SignedAppOptions extends FixtureOptions {
  /** Files besides the app's, or in place of them. */
  files?: Record<string, string>
  /** Options of the plugin. */
  signed?: SignedImpOptions
  /** @default 'vite' */
  bundler?: AppBundler
  /** Modules that Vite puts into chunks of their own. esbuild does so with what several chunks share. @default ['dep'] */
  apart?: readonly string[]
}

/** The plugin as it is published: it reads the bootstrap that is built beside it. */
export async function loadPlugin(): Promise<typeof import('../../src/index.ts').signedImp> {
  return (await import('../../dist/index.js' as string)).signedImp
}

/** Builds the app, signed by `key`. */
export async function buildSigned(
  key: KeySource,
  { files = {}, bundler = 'vite', ...options }: SignedAppOptions = {},
): Promise<string> {
  const all = { ...appFiles, ...files }
  return bundler === 'vite' ? byVite(key, all, options) : byEsbuild(key, all, options)
}

async function byVite(
  key: KeySource,
  files: Record<string, string>,
  { signed = {}, plugins = [], config = {}, apart = ['dep'], ...options }: SignedAppOptions,
): Promise<string> {
  const signedImp = await loadPlugin()
  const output = {
    manualChunks: (id: string) => apart.find((name) => id.endsWith(`/${name}.js`)),
  }
  const { mergeConfig } = await import('vite')
  return buildFixture(files, {
    ...options,
    plugins: [...plugins, signedImp(key, signed)],
    config: mergeConfig({ build: { rollupOptions: { output } } }, config),
  })
}

/** What several chunks share has no name of its own; it is found by {@link chunkOf}. */
async function byEsbuild(
  key: KeySource,
  files: Record<string, string>,
  { signed = {}, base = '/', apart = [] }: SignedAppOptions,
): Promise<string> {
  const { dir } = await buildByEsbuild(files, {
    key,
    signed,
    before: apart.length > 0 ? [shortNames] : [],
    config: {
      charset: 'utf8',
      publicPath: base === './' ? '' : base,
      ...(apart.length > 0 && { chunkNames: 'assets/[name]-[hash]' }),
    },
  })
  return dir
}

/** Gives what is loaded later its short name again, where shared chunks, which have none, need a hash. */
const shortNames = atEnd((result) => {
  const chunks = Object.entries(result.metafile!.outputs).filter(([, { entryPoint }]) => entryPoint)
  const shorten = (text: string) =>
    chunks.reduce((all, [path]) => {
      const name = basename(path)
      return all.replaceAll(name, name.replace(/-[A-Z2-7]{8}(?=\.js$)/, ''))
    }, text)
  result.metafile = JSON.parse(shorten(JSON.stringify(result.metafile)))
  for (const file of result.outputFiles!) {
    file.path = shorten(file.path)
    file.contents = Buffer.from(shorten(file.text))
  }
})

/** Path of the chunk that holds a module of the app: each bundler places and names chunks its own way. */
export function chunkOf(folder: string, name: string): string {
  const note = new RegExp(`push\\(['"]${name}['"]\\)`)
  const paths = readdirSync(join(folder, 'assets')).map((file) => `assets/${file}`)
  const found = paths.filter((path) => note.test(readFileSync(join(folder, path), 'utf8')))
  if (found.length !== 1) throw new Error(`${found.length} chunks hold ${name}`)
  return found[0]!
}

/** The name of a folder's page manifest. */
export function pageManifestOf(folder: string): string {
  const found = readdirSync(folder).filter((name) => /^signedimp-manifest\.\w{16}\.txt$/.test(name))
  if (found.length !== 1) throw new Error(`${found.length} page manifests`)
  return found[0]!
}

/** An answer of the server in place of its own. */
export interface Reply {
  status?: number
  /** Content type; that of the file where it is not given. */
  type?: string
  headers?: Record<string, string>
  /** The folder's own bytes where it is not given. */
  body?: string | Uint8Array
  /** From which request on, counted from 0. */
  from?: number
}

/** A site whose answers a test can replace. */
export interface TestSite extends Site {
  /** Answers a path (a new one too, or one outside the base with its leading slash) by something else from now on. */
  reply(path: string, reply: Reply | ((request: number) => Reply | undefined)): void
}

/** Lets a site serve another folder from now on, as a new deploy does, or an old one that comes back. */
export function deploy(site: TestSite, folder: string): void {
  site.reset()
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  for (const { parentPath, name } of files.filter((entry) => entry.isFile())) {
    const file = join(parentPath, name)
    const type = name.endsWith('.html') ? { type: 'text/html; charset=utf-8' } : {}
    site.reply(relative(folder, file), { body: readFileSync(file), ...type })
  }
}

/** Waits until a site was asked for a path: what a page has begun reaches the server only later. */
export async function isAsked(site: TestSite, path: string, times = 1): Promise<void> {
  const isDone = () => site.requests.filter((request) => request.path === path).length >= times
  for (let turn = 0; turn < 200 && !isDone(); turn++) await sleep(50)
  if (!isDone()) throw new Error(`${path} was not asked for ${times} times`)
}

/** Serves a built folder. */
export async function serveApp(folder: string, options: SiteOptions = {}): Promise<TestSite> {
  const replies = new Map<string, (request: number) => Reply | undefined>()
  const counts = new Map<string, number>()
  const site = await serve(folder, {
    ...options,
    handle(request, response, path) {
      const count = counts.get(path) ?? 0
      const reply = replies.get(path)?.(count)
      counts.set(path, count + 1)
      if (!reply) return options.handle?.(request, response, path) ?? false
      const type = reply.type ?? (/\.m?js$/.test(path) ? 'text/javascript' : 'text/plain')
      const body = reply.body ?? readFileSync(join(folder, path))
      const cors = options.cors ? { 'access-control-allow-origin': '*' } : {}
      const headers = {
        'content-type': type,
        'cache-control': 'no-store',
        ...cors,
        ...reply.headers,
      }
      response.writeHead(reply.status ?? 200, headers).end(body)
      return true
    },
  })
  return {
    ...site,
    get requests() {
      return site.requests
    },
    reply: (path, reply) =>
      void replies.set(path, typeof reply === 'function' ? reply : () => reply),
    reset() {
      site.reset()
      replies.clear()
      counts.clear()
    },
  }
}
