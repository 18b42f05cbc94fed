/** One build in a process of its own: node build-once.ts <root> <outDir> [<key file> [marks]]; prints a {@link BuildRun}. */
import { build, type InlineConfig } from 'vite'
import type { Plugin } from '../../src/plugin/types.ts'
import type { BuildRun } from './build.ts'

const [root, outDir, keyFile, marks] = process.argv.slice(2) as [string, string, string?, string?]
const hooks: Record<string, number> = {}
const plugins: Plugin[] = []
const importing = performance.now()
if (keyFile) {
  // Not known to the compiler, which runs before there is a build.
  const { signedImp } = await import('../../dist/index.js' as string)
  plugins.push(signedImp(keyFile))
}
const importMs = performance.now() - importing
if (marks) plugins.forEach(markHooks)

const config: InlineConfig = {
  root,
  configFile: false,
  logLevel: 'error',
  plugins: plugins as never,
  build: { outDir, emptyOutDir: true, reportCompressedSize: false },
}
const before = process.cpuUsage()
const started = performance.now()
await build(config)
const ms = performance.now() - started
const { user, system } = process.cpuUsage(before)
const cpuMs = (user + system) / 1000
const run: BuildRun = { ms, cpuMs, importMs, peakKb: process.resourceUsage().maxRSS, hooks }
console.log(JSON.stringify(run))

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
