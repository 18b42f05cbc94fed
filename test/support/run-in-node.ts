import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What an app did in Node. */
export interface SeenInNode {
  /** What it left in `text`, `methods` and `done`. */
  values: unknown
  /** The modules that called the registry's `import`. */
  calls: string[]
}

// With a registry that imports what it is asked for: what a bundler or a minifier made still works.
const run = (entry: string) => `
const calls = [], root = new URL('./', import.meta.url)
globalThis.__signedimp = {
  import: (from, specifier) => (calls.push(from), import(new URL(specifier.replace(/^\\//, root), new URL(from, root)))),
  meta: (path) => ({ url: new URL(path, root).href }),
}
await import(new URL('${entry}', root))
const values = [globalThis.text, globalThis.methods, await globalThis.done]
console.log(JSON.stringify({ values, calls }).replaceAll(root.href, ''))
`

/** Runs a built app in Node. Its folder then holds two files more. */
export function runInNode(dir: string, entry: string): SeenInNode {
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  writeFileSync(join(dir, 'run.mjs'), run(entry))
  const output = execFileSync(process.execPath, [join(dir, 'run.mjs')], { encoding: 'utf8' })
  return JSON.parse(output) as SeenInNode
}
