/** One build in a process of its own: node build-once.ts <bundler> <root> <outDir> [<key file> [marks]]; prints a {@link BuildRun}. */
import { join } from 'node:path'
import type { EsbuildPlugin } from '../../src/plugin/esbuild/types.ts'
import type { Plugin } from '../../src/plugin/types.ts'
import type { Bundler, BuildRun } from './build.ts'

const [bundler, root, outDir, keyFile, marks] = process.argv.slice(2) as [
  Bundler,
  string,
  string,
  string?,
  string?,
]
const hooks: Record<string, number> = {}
const plugins: (Plugin | EsbuildPlugin)[] = []
const importing = performance.now()
if (keyFile) {
  // Not known to the compiler, which runs before there is a build.
  const isEsbuild = bundler === 'esbuild'
  const { signedImp } = await import(`../../dist/${isEsbuild ? 'esbuild' : 'index'}.js`)
  plugins.push(signedImp(keyFile, { name: 'bench', ...(isEsbuild && { html: ['index.html'] }) }))
}
const importMs = performance.now() - importing
if (marks) plugins.forEach((plugin) => markHooks(plugin as Plugin))

const build = await loadBuild()
const before = process.cpuUsage()
const started = performance.now()
await build()
const ms = performance.now() - started
const { user, system } = process.cpuUsage(before)
const cpuMs = (user + system) / 1000
const run: BuildRun = { ms, cpuMs, importMs, peakKb: process.resourceUsage().maxRSS, hooks }
console.log(JSON.stringify(run))

/** The bundler is loaded before the clock starts. */
async function loadBuild(): Promise<() => Promise<unknown>> {
  if (bundler === 'vite') {
    const vite = await import('vite')
    const options = { outDir, emptyOutDir: true, reportCompressedSize: false }
    const config = { root, configFile: false, logLevel: 'error', build: options } as const
    return () => vite.build({ ...config, plugins: plugins as never })
  }
  if (bundler === 'esbuild') {
    const { build } = await import('esbuild')
    const names = { entryNames: 'assets/[name]-[hash]', chunkNames: 'assets/[name]-[hash]' }
    const form = { bundle: true, format: 'esm', splitting: true, minify: true } as const
    const place = { absWorkingDir: root, entryPoints: ['src/main.js'], outdir: outDir }
    return () => build({ ...place, ...form, ...names, plugins: plugins as never })
  }
  const { [bundler]: start } = (await import(bundler)) as Record<
    string,
    typeof import('rollup').rollup
  >
  return async () => {
    const input = join(root, 'src/main.js')
    const bundle = await start!({ input, plugins: plugins as never, onLog() {} })
    const names = 'assets/[name]-[hash].js'
    await bundle.write({ dir: outDir, entryFileNames: names, chunkFileNames: names })
    await bundle.close()
  }
}

/** Adds the time of each of a plugin's hooks up, as seen from outside. */
function markHooks(plugin: Plugin): void {
  const record = plugin as unknown as Record<string, unknown>
  for (const [name, hook] of Object.entries(record)) {
    const holder = (typeof hook === 'object' ? hook : { handler: hook }) as { handler: unknown }
    const { handler } = holder
    if (typeof handler !== 'function') continue
    const marked = function (this: unknown, ...args: unknown[]) {
      const start = performance.now()
      const add = () => (hooks[name] = (hooks[name] ?? 0) + performance.now() - start)
      const result: unknown = handler.apply(this, args)
      if (result instanceof Promise) return result.finally(add)
      add()
      return result
    }
    record[name] = typeof hook === 'object' ? { ...hook, handler: marked } : marked
  }
}
