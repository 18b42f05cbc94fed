import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { init, parse } from 'es-module-lexer'
import { aliasOf } from '../../src/manifest/linking.ts'
import { createStandIns, type LinkedModules } from '../../src/emit/modules.ts'
import { throwsCode } from '../support/throws.ts'
import { chunk, emit, entry, type Bundled, type EmitOptions, type EmittedFiles } from './emitted.ts'

// Entries that no page starts: their files become module bootstraps.

await init()

const page = '<!doctype html><script type="module" src="/index.js"></script>'

/** What a module bootstrap says of its entry. */
function described(code: string) {
  const literal = /\{path:"[^}]*\}/.exec(code)![0]
  return new Function(`return ${literal}`)() as Record<string, string | number | undefined>
}

const exportsOf = (code: string) =>
  parse(code)[1].map((item) => ('name' in item ? item.name : undefined))

const manifestOf = ({ text, manifests }: EmittedFiles, path: string) =>
  manifests.get(`${described(text(path)).manifest}`)!

test('the file keeps its name, its code moves beside it', async () => {
  const emitted = await emit({ 'app.js': entry('globalThis.a = 1') })
  assert.match(emitted.text('ap_.js'), 'globalThis.a = 1')
  assert.not.match(emitted.text('app.js'), 'globalThis.a')
  const { path, main, name, base } = described(emitted.text('app.js'))
  assert.equal([path, main, name, base], ['app.js', 'ap_.js', 'shop', ''])
})

const shapes: [what: string, code: string, names: string[]][] = [
  ['none', '1', []],
  ['a default', 'export default 1', ['default']],
  ['names', 'export const a = 1; export function b() {} export class C {}', ['a', 'b', 'C']],
  ['a name in Greek', 'export const λ = 1', ['λ']],
  [
    'texts',
    'const a = 1; export { a as "a b", a as "\\u{1F600}", a as "\\"" }',
    ['a b', '😀', '"'],
  ],
  ['what it imports', 'export { x, y as default } from "./b.js"', ['x', 'default']],
  ['a namespace', 'export * as ns from "./b.js"', ['ns']],
]

for (const [what, code, names] of shapes)
  test(`exports are handed on: ${what}`, async () => {
    const { text } = await emit({
      'app.js': entry(code),
      'b.js': chunk('export const x = 1, y = 2'),
    })
    assert.equal(exportsOf(text('app.js')), names)
    assert.match(text('app.js'), /^[\0-\x7f]*$/)
  })

for (const [what, code] of [
  ['"then", which makes a promise of a module', 'export const then = 1'],
  ['everything of another module', 'export * from "./b.js"'],
] as const)
  test(`refused: an entry that exports ${what}`, async () => {
    await throwsCode(
      () => emit({ 'app.js': entry(code), 'b.js': chunk('export const x = 1') }),
      'ERR_SIGNEDIMP_OUTPUT',
    )
  })

test('what imports an entry imports its main chunk, at the same length', async () => {
  const lazy = 'import { a } from "./app.js"; import("./app.js"); import(`../x/app.js`); a()'
  const { text } = await emit({
    'x/app.js': entry('export const a = () => import("./lazy.js")'),
    'x/lazy.js': chunk(lazy),
    'index.js': entry(''),
    'index.html': page,
  })
  const code = text('x/lazy.js').slice(1)
  assert.match(code, 'from "./ap_.js"; _simp_("./ap_.js"); _simp_(`../x/ap_.js`); a()')
  assert.is(code.split('\n')[0]!.length, lazy.length)
})

test("Vite's list of what a lazy module needs names the main chunk", async () => {
  const deps =
    'const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=["x/app.js","x/app.mjs","./app.js"])))=>i.map(i=>d[i]);'
  const { text } = await emit({
    'x/app.js': entry('import("./lazy.js")'),
    'x/lazy.js': chunk(deps),
  })
  assert.match(text('x/lazy.js'), 'm.f=["x/ap_.js","x/app.mjs","./ap_.js"]')
})

test('the new name is free', async () => {
  const { files } = await emit({ 'app.js': entry('1'), 'ap_.js': chunk('2'), 'ap-.js': chunk('3') })
  assert.ok(files.has('ap$.js'))
})

test('the new name is no name that another entry leaves, where its own file will be', async () => {
  const names = ['app.js', 'ap_.js', 'ap-.js']
  const emitted = await emit(Object.fromEntries(names.map((name) => [name, entry(`"${name}"`)])))
  const mains = names.map((name) => `${described(emitted.text(name)).main}`)
  assert.is(new Set([...names, ...mains]).size, 6)
  for (const [at, main] of mains.entries()) assert.match(emitted.text(main), `"${names[at]}"`)
})

test('a source map goes with the code', async () => {
  const { files, text } = await emit({
    'app.js': entry('1\n//# sourceMappingURL=app.js.map\n'),
    'app.js.map': '{"version":3,"file":"app.js","mappings":""}',
  })
  assert.not.ok(files.has('app.js.map'))
  assert.is(text('ap_.js.map'), '{"version":3,"file":"ap_.js","mappings":""}')
  assert.match(text('ap_.js'), /\n\/\/# sourceMappingURL=ap_\.js\.map\n$/)
  assert.not.match(text('app.js'), 'sourceMappingURL')
})

// Names of static imports.

const linked: Bundled = {
  'x/app.js': entry('import { b } from "./b.js"; import "../lib/c.js"; b()'),
  'x/b.js': chunk("export { c as b } from '../lib/c.js'"),
  'lib/c.js': chunk('export const c = 1'),
}

test('without pages, static imports have names that mean nothing without a map', async () => {
  const emitted = await emit(linked)
  const { text } = emitted
  assert.match(text('x/ap_.js'), 'import { b } from "s:b.js"; import "s:/lib/c.js"')
  assert.match(text('x/b.js'), "from 's:/lib/c.js'")
  for (const [path, list] of manifestOf(emitted, 'x/app.js').imports)
    for (const to of list) assert.is(text(path).slice(1).slice(to.start, to.end), aliasOf(to), path)
  assert.ok(described(text('x/app.js')).late)
})

test('beside pages, static imports stay as they are, and the entry goes without a map', async () => {
  const { text } = await emit({ ...linked, 'index.js': entry(''), 'index.html': page })
  assert.match(text('x/ap_.js'), 'from "./b.js"; import "../lib/c.js"')
  assert.is(described(text('x/app.js')).late, undefined)
})

test('refused: a name that would end the text that it stands in', async () => {
  await throwsCode(
    () => emit({ 'app.js': entry('import "./o\\\'b.js"'), "o'b.js": chunk('1') }),
    'ERR_SIGNEDIMP_OUTPUT',
  )
})

// Manifests.

const split: Bundled = {
  'a.js': entry('import("./lazy.js"); export const a = 1'),
  'b.js': entry('import "./c.js"'),
  'c.js': chunk('import("./data.json", { with: { type: "json" } })'),
  'lazy.js': chunk('1'),
  'data.json': '{}',
  'a.css': '',
}

const own = /^signedimp-(late|blob)-[0-9a-f]{16}\.js$/
const listed = (emitted: EmittedFiles, path: string) =>
  [...manifestOf(emitted, path).files.keys()].filter((file) => !own.test(file))

test('an entry lists what it can load, and no more', async () => {
  const emitted = await emit(split)
  assert.equal(listed(emitted, 'a.js'), ['_.js', 'lazy.js'])
  assert.equal(listed(emitted, 'b.js'), ['-.js', 'c.js', 'data.json'])
  assert.is(emitted.manifests.size, 2)
})

test('an entry that imports what only its run tells lists everything', async () => {
  const emitted = await emit({ ...split, 'lazy.js': chunk('import(location.hash)') })
  assert.equal(listed(emitted, 'a.js'), ['-.js', '_.js', 'a.css', 'c.js', 'data.json', 'lazy.js'])
})

test("an entry's file follows from what it can load and from the release", async () => {
  const first = await emit(split)
  const same = await emit({ ...split, 'a.css': 'a{}', 'c.js': chunk('2') })
  assert.is(same.text('a.js'), first.text('a.js'))
  assert.is.not(same.text('b.js'), first.text('b.js'))
  const differs = async (options: EmitOptions) =>
    assert.is.not((await emit(split, options)).text('a.js'), first.text('a.js'))
  for (const options of [{ build: 1 }, { expires: '2099-01-01T00:00:00Z' }, { base: 'https://c/' }])
    await differs(options)
})

test('a base on a host is baked in, others are found by the file itself', async () => {
  const baseIn = async (base: string) =>
    described((await emit({ 'a.js': entry('1') }, { base })).text('a.js')).base
  assert.is(await baseIn('https://cdn.example/x/'), 'https://cdn.example/x/')
  assert.equal([await baseIn('/x/'), await baseIn('')], ['', ''])
})

test('pages go on to have a manifest of their own, without the entries', async () => {
  const emitted = await emit({
    ...split,
    'index.js': entry('import("./lazy.js")'),
    'index.html': page,
  })
  const pages = [...emitted.manifests].find(([path]) => emitted.text('index.html').includes(path))!
  assert.ok(pages[1].files.has('index.js') && pages[1].files.has('_.js'))
  assert.not.ok(pages[1].files.has('a.js'))
})

// Circles.

test('no stand-in is made for what only a page gives a meaning, which is said as an import of itself', () => {
  const edge = (path: string) => ({ start: 8, end: 9, path })
  const imports = new Map([
    ['a.js', [edge('a.js'), edge('b.js')]],
    ['b.js', [edge('b.js')]],
  ])
  const exports = new Map([...imports.keys()].map((path) => [path, ['x']]))
  const linked = { imports, exports } as unknown as LinkedModules
  assert.equal([...createStandIns(linked, { standIns: true, noCircle: true }).keys()], [])
})

test('modules in a circle have stand-ins, others have none', async () => {
  const emitted = await emit({
    'app.js': entry('import "./a.js"; import "./d.js"'),
    'a.js': chunk('import { b } from "./b.js"; export default 1; export { b as "x y" }'),
    'b.js': chunk('import a from "./a.js"; export const b = () => a'),
    'd.js': chunk('1'),
  })
  const standIns = [...emitted.files.keys()].filter((path) => path.includes('circular'))
  assert.equal(standIns, ['a.circular.js', 'b.circular.js'])
  assert.ok(manifestOf(emitted, 'app.js').files.has('a.circular.js'))
  const text = emitted.text('a.circular.js').replace(/^\ufeff/, '')
  assert.equal(exportsOf(text), ['default', 'x y', 'signedimp:update'])
})

// Vite's list for backends.

test("Vite's list for backends has nothing to preload for an entry, its stylesheets and its integrity", async () => {
  const chunks = {
    '_c.js': { file: 'c.js', css: ['c.css'], imports: ['_d.js'] },
    '_d.js': { file: 'd.js', css: ['d.css', 'c.css'] },
    'src/b.js': {
      file: 'b.js',
      src: 'src/b.js',
      isEntry: true,
      imports: ['_c.js'],
      css: ['b.css'],
    },
  }
  const config = { manifest: true }
  const { text } = await emit(
    {
      'b.js': entry('import "./c.js"'),
      'c.js': chunk('import "./d.js"'),
      'd.js': chunk('1'),
      '.vite/manifest.json': JSON.stringify(chunks),
    },
    { viteBuild: config },
  )
  const edited = JSON.parse(text('.vite/manifest.json'))
  const integrity = `sha256-${createHash('sha256').update(text('b.js')).digest('base64')}`
  const { imports: _, ...rest } = chunks['src/b.js']
  assert.equal(edited['src/b.js'], { ...rest, css: ['b.css', 'c.css', 'd.css'], integrity })
  assert.equal(edited['_c.js'], chunks['_c.js'])
})

test.run()
