import { init, parse } from 'es-module-lexer'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashBytes } from '../../src/crypto/node.ts'
import { throwsCode } from '../support/throws.ts'
import { chunk, emit, entry, type Bundled, type EmitOptions, type EmittedFiles } from './emitted.ts'

// What the option `tags` makes of an output: static imports are whole paths with a key, and nothing else moves.

await init()

const odd = "assets/it's ü.js"

const pageBelow = (base: string) =>
  `<!doctype html><script type="module" src="${base}assets/index.js"></script>`

const app: Bundled = {
  'index.html': pageBelow('/'),
  'assets/index.js': entry(
    [
      `import{b as c}from"./b.js";import'./c.js'`,
      `export{x}from"./${odd.slice(7)}"`,
      `import*as all from "./b.js"; console.log(c,all,()=>import('./b.js'))`,
      `(function(){})()`,
      `//# sourceMappingURL=index.js.map`,
    ].join('\n'),
  ),
  'assets/b.js': chunk('export const b=1'),
  'assets/c.js': chunk('globalThis.c=1'),
  [odd]: chunk('export const x=2'),
}

/** The specifiers that a module's text has where its manifest says that it imports something. */
function specifiersOf({ text, manifest }: EmittedFiles, path: string): [string, string][] {
  const code = text(path).replace(/^\ufeff/, '')
  return manifest.imports
    .get(path)!
    .map(({ start, end, path: to }) => [code.slice(start, end), to] as [string, string])
}

for (const base of ['/', '/app/', 'https://cdn.example/app/'])
  test(`static imports below ${base}`, async () => {
    const out = await emit({ ...app, 'index.html': pageBelow(base) }, { base, tags: true })
    const url = (path: string) => new URL(encodeURI(path), new URL(base, 'https://any/')).href
    const spelled = (path: string) =>
      (base.startsWith('/') ? url(path).slice('https://any'.length) : url(path)) + '#tag'
    assert.equal(specifiersOf(out, 'assets/index.js'), [
      [spelled('assets/b.js'), 'assets/b.js'],
      [spelled('assets/c.js'), 'assets/c.js'],
      [spelled(odd), odd],
      [spelled('assets/b.js'), 'assets/b.js'],
    ])
    // They mean what they meant, in the same order, and there are no others.
    const [found] = parse(out.text('assets/index.js'))
    const names = found.filter(({ type }) => type !== 'dynamic').map(({ specifier }) => specifier)
    assert.equal(
      names,
      specifiersOf(out, 'assets/index.js').map(([specifier]) => specifier),
    )
  })

test('nothing else moves', async () => {
  const [plain, moved] = [await emit(app), await emit(app, { tags: true })]
  const [before, after] = [plain, moved].map((out) => out.text('assets/index.js').split('\n'))
  assert.is(after![0]!.length, before![0]!.length)
  const place = (lines: string[], what: string) => {
    const at = lines.findIndex((line) => line.includes(what))
    return [at, lines[at]!.indexOf(what)]
  }
  for (const what of ['console.log', '(function'])
    assert.equal(place(after!, what), place(before!, what), what)
  assert.is(after!.at(-1), before!.at(-1))
})

test('the page names the runtime, which is listed, and says what imports look like', async () => {
  const tagOf = async ({ base = '/', ...options }: EmitOptions) => {
    const out = await emit({ ...app, 'index.html': pageBelow(base) }, { base, ...options })
    const [, tags] = / data-tags="([^"]+)"/.exec(out.text('index.html')) ?? []
    return { out, tags, html: out.text('index.html') }
  }
  const { out, tags, html } = await tagOf({ tags: true })
  assert.is(out.manifest.files.get(tags!), hashBytes('sha256', out.files.get(tags!)!))
  assert.match(html, ' data-key="#tag"')
  assert.not.match(html, 'data-whole')
  assert.match((await tagOf({ tags: true, base: 'https://cdn.example/' })).html, ' data-whole')
  const without = await tagOf({})
  assert.is(without.tags, undefined)
  assert.not.match(without.html, /data-(key|whole)/)
  assert.not.ok([...without.out.files.keys()].some((path) => path.startsWith('signedimp-tags')))
})

test('what is in a circle is named', async () => {
  const circle = {
    ...app,
    'assets/b.js': chunk(`import'./c.js';export const b=1`),
    'assets/c.js': chunk(`import'./b.js'`),
  }
  const { message } = await throwsCode(() => emit(circle, { tags: true }), 'ERR_SIGNEDIMP_OUTPUT')
  assert.match(message, 'assets/b.js: is in a circle of imports with assets/c.js')
})

test('a page that starts with what only an import map gives a meaning is warned of', async () => {
  const map = '<script type="importmap">{"imports":{"lib":"/assets/b.js"}}</script>'
  const named = (text: string): Bundled => ({
    'index.html': pageBelow('/').replace('<script', `${map}<script`),
    'assets/index.js': entry(text),
    'assets/b.js': chunk('export const b=1'),
  })
  const warningsOf = async (text: string, tags: boolean) =>
    (await emit(named(text), { tags })).warnings
  const early = 'import"lib";import"lib"'
  assert.equal(await warningsOf(early, true), [
    'tags: index.html refuses what imports "lib", as assets/index.js does, where there is no import map; tags load only modules of the build: bundle it',
  ])
  assert.equal(await warningsOf(early, false), [])
  // Of what is imported later, the page may make something.
  assert.equal(await warningsOf('globalThis.open=()=>import("lib")', true), [])
})

test.run()
