import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildOptions } from 'esbuild'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { check, findUnwrapped, attackedVites } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildByEsbuild } from '../support/esbuild.ts'
import { buildFixture } from '../support/fixture.ts'
import { runInNode } from '../support/run-in-node.ts'
import { newPublisher } from './signed.ts'

const files = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js':
    'class Named { static load = () => import("./lazy.js") }\nglobalThis.done = Named.load().then((lazy) => [lazy.default?.call(), Named.name, import.meta.url])',
  'src/lazy.js':
    'export default async function lazy() { return [typeof (await import("./deep.js")).deep, lazy.name] }',
  'src/deep.js': 'export const deep = new Map([[1, 2]])',
}

const settings: Record<string, object> = {
  'esbuild, keepNames': { build: { minify: 'esbuild' }, esbuild: { keepNames: true } },
  'terser, mangling all': {
    build: {
      minify: 'terser',
      terserOptions: {
        toplevel: true,
        mangle: { toplevel: true },
        compress: { passes: 3, unsafe: true },
      },
    },
  },
  'an old target': { build: { minify: 'esbuild', target: 'es2017' } },
  'a new target': { build: { minify: 'esbuild', target: 'esnext' } },
}
const variants = attackedVites.flatMap((vite) =>
  Object.keys(settings).map((name) => `${vite}: ${name}`),
)

// In Node, with a registry that imports what it is asked for: what the consumer's minifier made still works.
const run = `
globalThis.__signedimp = {
  import: (from, specifier) => (calls.push(from), import(new URL(specifier, new URL(from, root)))),
  meta: (path) => ({ url: new URL(path, root).href }),
}
globalThis.document = { createElement: () => ({ relList: { supports: () => true } }), getElementsByTagName: () => [], querySelector: () => null, querySelectorAll: () => [] }
const calls = [], root = new URL('./', import.meta.url)
await import(new URL('assets/index.js', root))
const [[type], , url] = await Promise.all((await globalThis.done).map((value) => value))
console.log(JSON.stringify({ type, calls, url: url.slice(root.href.length) }))
`

attack(85, 'injected code that a minifier or a target breaks', { variants }, async (variant) => {
  const [vite, name] = variant.split(': ') as [(typeof attackedVites)[number], string]
  const { privateKey } = await newPublisher()
  const dir = await buildFixture(files, {
    vite,
    plugins: [signedImp(privateKey)],
    config: settings[name]!,
  })
  await check(dir, privateKey)
  assert.equal(await findUnwrapped(dir), [])
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  writeFileSync(join(dir, 'run.mjs'), run)
  const output = execFileSync(process.execPath, [join(dir, 'run.mjs')], { encoding: 'utf8' })
  const seen = JSON.parse(output) as { type: string; calls: string[]; url: string }
  assert.equal(seen, {
    type: 'object',
    calls: ['assets/index.js', 'assets/lazy.js'],
    url: 'assets/index.js',
  })
  return 'ok it is added after everything, and runs'
})

const targets: Record<string, BuildOptions> = {
  'minify, keepNames': { minify: true, keepNames: true },
  'comments at the end': { legalComments: 'eof', footer: { js: '//! the end' } },
  'an old target': { minify: true, target: 'es2022' },
  'a new target, dropped labels': { minify: true, target: 'esnext', dropLabels: ['DEV'] },
}

attack(
  85,
  'injected code that esbuild itself minifies',
  { variants: Object.keys(targets) },
  async (variant) => {
    const { privateKey } = await newPublisher()
    const more = { ...files, 'src/main.js': `${files['src/main.js']}.then(([lazy]) => lazy)` }
    const { dir } = await buildByEsbuild(more, {
      key: privateKey,
      config: { publicPath: '', ...targets[variant] },
    })
    await check(dir, privateKey)
    assert.equal(await findUnwrapped(dir), [])
    const { values, calls } = runInNode(dir, 'assets/index.js')
    assert.match(JSON.stringify(values), /^\[null,null,\["object","\w+"\]\]$/)
    assert.equal(calls, ['assets/index.js', 'assets/lazy.js'])
    return 'ok it is added after everything, and runs'
  },
)

attacks.run()
