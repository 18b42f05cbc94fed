import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { pageTags } from 'signedimp'
import { generateKey } from '../../src/keys/generate.ts'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { appFiles, loadPlugin, type AppBundler, type Reply } from './app.ts'
import { buildByEsbuild } from './esbuild.ts'
import { buildFixture } from './fixture.ts'

/** The app that attacks are tried on, with a stylesheet, and without a page: its entry is `src/main.js`. */
const { 'index.html': _, ...modules } = appFiles
const files: Record<string, string> = {
  ...modules,
  'src/main.js': `import './main.css'\n${appFiles['src/main.js']}`,
  'src/main.css': ':root { --styled: 1 }',
}

/** Builds it for a backend. @returns the output folder */
export async function buildBackend(
  bundler: AppBundler,
  options: SignedImpOptions = {},
  known?: Key,
): Promise<string> {
  const key = known ?? (await generateKey('ed25519'))
  const signed: SignedImpOptions = { html: 'backend', name: 'app', ...options }
  return bundler === 'vite' ? byVite(key, signed) : byEsbuild(key, signed)
}

type Key = Awaited<ReturnType<typeof generateKey>>

async function byVite(key: Key, signed: SignedImpOptions): Promise<string> {
  const plugins = [(await loadPlugin())(key, signed)]
  const manualChunks = (id: string) => (id.endsWith('/dep.js') ? 'dep' : undefined)
  const rollupOptions = { input: 'src/main.js', output: { manualChunks } }
  return buildFixture(files, { plugins, config: { build: { rollupOptions, manifest: true } } })
}

async function byEsbuild(key: Key, signed: SignedImpOptions): Promise<string> {
  const config = {
    entryPoints: ['src/main.js'],
    entryNames: 'assets/[name]',
    chunkNames: 'assets/[name]-[hash]',
  }
  return (await buildByEsbuild(files, { key, signed, config })).dir
}

const listener = `globalThis.refusals = []
addEventListener('signedimp:refusal', ({ detail }) => refusals.push(detail.code + ' ' + detail.path))`

/** The page that a backend writes, with the policy that comes with the tags. */
export function writePage(folder: string, nonce?: string): Reply {
  const { head, csp } = pageTags(folder, 'src/main.js', { nonce })
  // A script of the page's own is the page's own to allow.
  const own = createHash('sha256').update(listener).digest('base64')
  return {
    type: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': csp.replace('script-src', `script-src 'sha256-${own}'`) },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>App</title>
${head}<script>${listener}</script></head><body></body></html>`,
  }
}

/** What the app's page loads at once and later, by path. */
export const loadedIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /^(assets\/.*|signedimp-runtime-.*)\.(js|css)$/.test(path))
