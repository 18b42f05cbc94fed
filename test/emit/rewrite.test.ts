import { parse, init } from 'es-module-lexer'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rewriteModule, rewriterVersion } from '../../src/emit/rewrite.ts'
import { throwsCode } from '../support/throws.ts'

const wrapper = (name = '_simp_', path = 'a.js') =>
  `function ${name}(s,o){return __signedimp.import("${path}",s,o)}`
const meta = (name = '_simpmeta', path = 'a.js') =>
  `function ${name}(){return __signedimp.meta("${path}")}`

/** The rewritten text without its byte order mark, of which it must have one. */
async function rewrite(code: string, path = 'a.js'): Promise<string> {
  const { code: text } = await rewriteModule(path, code)
  assert.is(text.lastIndexOf('\ufeff'), 0, 'one byte order mark')
  return text.slice(1)
}

interface Call {
  from: string
  specifier: unknown
  options: unknown
}

/** Runs a rewritten module in Node, with a registry that notes its calls; gives what it exports. */
async function run(code: string, path = 'a.js') {
  const calls: Call[] = []
  const answer = { default: 'imported' }
  const metas = new Map<string, object>()
  Object.assign(globalThis, {
    __signedimp: {
      import: (from: string, specifier: unknown, options: unknown) => {
        calls.push({ from, specifier, options })
        return Promise.resolve(answer)
      },
      meta: (from: string) => {
        if (!metas.has(from)) metas.set(from, { url: `https://x/${from}`, resolve: String })
        return metas.get(from)
      },
    },
  })
  const text = await rewrite(code, path)
  const unique = `\n//${Math.random()}`
  const exported = (await import(
    'data:text/javascript;charset=utf-8,' + encodeURIComponent(text + unique)
  )) as Record<string, unknown>
  await exported['done']
  return { calls, exported }
}

// What must stay as it is: the word is no call.
const untouched: Record<string, string> = {
  'double quotes': 'export const s = "import(\'./b.js\')"',
  'single quotes': 'export const s = \'import("./b.js")\'',
  'an escaped quote': "export const s = 'it\\'s import(1)'",
  'a template': 'export const s = `import("./b.js")`',
  'a template with a nested template': 'export const s = `${`import(1)`} import.meta`',
  'a line comment': '// import("./b.js")\nexport const s = 1',
  'a block comment': '/* import("./b.js") import.meta */ export const s = 1',
  'a comment with a quote': "/* it's import(1) */ export const s = 'import(2)'",
  'a regular expression': 'export const s = /import\\(/',
  'a class of a regular expression': 'export const s = /[/"]import(x)/',
  'a regular expression after a bracket': 'export const s = [1].map(() => /import(x)"/)',
  'a method call': 'const o = { import: (x) => x }\nexport const s = o.import("./b.js")',
  'an optional method call': 'const o = { import: (x) => x }\nexport const s = o?.import("./b.js")',
  'a method call after a line break':
    'const o = { import: (x) => x }\nexport const s = o\n.import(1)',
  'a method call after a comment':
    'const o = { import: (x) => x }\nexport const s = o./* */import(1)',
  'a private name':
    'class A { #import(x) { return x } go() { return this.#import(1) } }\nexport { A }',
  'a method': 'export class A { import(x) { return x } }',
  'a static method': 'export class A { static import(x) { return x } }',
  'a key': 'export const s = { import: 1 }',
  'a longer name': 'const myimport = (x) => x\nexport const s = myimport(1)',
  'a name with a dollar': 'const $import = (x) => x\nexport const s = $import(1)',
  'a longer name behind': 'const importer = (x) => x\nexport const s = importer(1)',
  'import.meta as a property': 'const o = { import: { meta: 1 } }\nexport const s = o.import.meta',
  'a division that looks like a regular expression':
    'const a = 4, g = 2\nexport const s = a / g / "import(".length',
}

for (const [what, code] of Object.entries(untouched))
  test(`stays as it is: ${what}`, async () => {
    assert.is(await rewrite(code), code)
    assert.equal((await run(code)).calls, [])
  })

// What is a call, and with which arguments it must arrive.
const calls: Record<string, [code: string, specifier: unknown, options?: unknown]> = {
  'a plain call': ['export const done = import("./b.js")', './b.js'],
  'spaces before the bracket': ['export const done = import  ("./b.js")', './b.js'],
  'a line break before the bracket': ['export const done = import\n("./b.js")', './b.js'],
  'a comment before the bracket': ['export const done = import/*x*/("./b.js")', './b.js'],
  'a line comment before the bracket': ['export const done = import//(\n("./b.js")', './b.js'],
  'a comment in the brackets': [
    'export const done = import(/* webpackChunkName: "b" */"./b.js")',
    './b.js',
  ],
  'a template': ['export const done = import(`./b.js`)', './b.js'],
  'a computed template': ['const n = 2\nexport const done = import(`./b${n}.js`)', './b2.js'],
  'a sum': ['export const done = import("./" + "b.js")', './b.js'],
  'a second argument': [
    'export const done = import("./b.json", { with: { type: "json" } })',
    './b.json',
    { with: { type: 'json' } },
  ],
  'a second argument after a comma in the first': [
    'export const done = import((1, "./b.js"), { a: 1 },)',
    './b.js',
    { a: 1 },
  ],
  'a call in a template': ['export const done = `${await import("./b.js")}` && 1', './b.js'],
  'a call in a template in a template': [
    'export const done = `${`${await import("./b.js")}`}`',
    './b.js',
  ],
  'a call in a default value': [
    'const f = (x = import("./b.js")) => x\nexport const done = f()',
    './b.js',
  ],
  'a call in a class': [
    'class A { x = import("./b.js") }\nexport const done = new A().x',
    './b.js',
  ],
  'a call in a static block': [
    'export let done\nclass A { static { done = import("./b.js") } }',
    './b.js',
  ],
  'a call after return': [
    'const f = () => { return import("./b.js") }\nexport const done = f()',
    './b.js',
  ],
  'a call after a spread': ['export const done = Promise.all([...[import("./b.js")]])', './b.js'],
  'a call after an arrow': ['const f = () => import("./b.js")\nexport const done = f()', './b.js'],
  'a call as an object': ['export const done = import("./b.js").then((n) => n.default)', './b.js'],
  'a call with await': ['export const { default: s } = await import("./b.js")', './b.js'],
  'a call after a regular expression': [
    '/"/.test("")\nexport const done = import("./b.js")',
    './b.js',
  ],
  'a call after a comment with a quote': [
    "// it's\nexport const done = import('./b.js')",
    './b.js',
  ],
  'a call in minified code': [
    'const a=()=>import("./b.js");export{d as done};const d=a()',
    './b.js',
  ],
  'a call after typeof': ['export const s = typeof import("./b.js")', './b.js'],
}

for (const [what, [code, specifier, options]] of Object.entries(calls))
  test(`becomes a call of the wrapper: ${what}`, async () => {
    const { calls: seen } = await run(code)
    assert.equal(seen, [{ from: 'a.js', specifier, options }])
  })

test('a call in a call: both go through the wrapper', async () => {
  const { calls: seen } = await run('export const done = import((await import("./b.js")).default)')
  assert.equal(
    seen.map(({ specifier }) => specifier),
    ['./b.js', 'imported'],
  )
})

test('a first argument that is evaluated is evaluated once', async () => {
  const { exported } = await run('export let n = 0\nexport const done = import("./b" + ++n)')
  assert.is(exported['n'], 1)
})

test('the wrapper can be called before its text', async () => {
  const { code } = await rewriteModule('a.js', 'export const done = import("./b.js")')
  assert.ok(code.indexOf('_simp_(s') > code.indexOf('_simp_("'))
})

// What import.meta can stand in.
const metas: Record<string, [code: string, expected: unknown]> = {
  url: ['export const s = import.meta.url', 'https://x/a.js'],
  resolve: ['export const s = import.meta.resolve("./b")', './b'],
  'in brackets': ['export const s = import.meta["url"]', 'https://x/a.js'],
  'optional chaining': ['export const s = import.meta?.env?.MODE', undefined],
  destructured: ['const { url } = import.meta\nexport { url as s }', 'https://x/a.js'],
  'with typeof': ['export const s = typeof import.meta', 'object'],
  'with in': ['export const s = "url" in import.meta', true],
  'in a template': ['export const s = `${import.meta.url}`', 'https://x/a.js'],
  'with spaces': ['export const s = import . meta . url', 'https://x/a.js'],
  'over two lines': ['export const s = import\n.meta.url', 'https://x/a.js'],
  'as an argument': ['export const s = new URL("./w.js", import.meta.url).href', 'https://x/w.js'],
  'constructed in brackets': [
    'import.meta.A = class { x = 1 }\nexport const s = new (import.meta.A)().x',
    1,
  ],
  assigned: ['import.meta.hot = 1\nexport const s = import.meta.hot', 1],
  deleted: [
    'import.meta.hot = 1\ndelete import.meta.hot\nexport const s = import.meta.hot',
    undefined,
  ],
}

for (const [what, [code, expected]] of Object.entries(metas))
  test(`import.meta becomes the registry's: ${what}`, async () => {
    const { exported } = await run(code)
    assert.equal(exported['s'], expected)
  })

for (const code of [
  'new import.meta.A()',
  'const a = new import.meta.A',
  'x = new\nimport.meta.A()',
  'x = new/* */import.meta.A()',
])
  test(`refused: ${JSON.stringify(code)}, in which a call would bind to new`, async () => {
    const { path } = (await throwsCode(
      () => rewrite(code, 'assets/a.js'),
      'ERR_SIGNEDIMP_OUTPUT',
    )) as Error & { code: string; path: string }
    assert.is(path, 'assets/a.js')
  })

for (const code of [
  'import.source("./b.wasm")',
  'import.defer("./b.js")',
  'import /* */ . /* */ defer("./b.js")',
  'import source b from "./b.wasm"',
  'import defer * as b from "./b.js"',
])
  test(`refused: ${code}, which the wrapper cannot stand for`, async () => {
    const error = await throwsCode(() => rewrite(code), 'ERR_SIGNEDIMP_OUTPUT')
    assert.match(error.message, /source|defer/)
  })

for (const code of ['import(', 'const s = "', 'export const a = `${', 'import { from "./b.js"'])
  test(`refused: ${JSON.stringify(code)}, which is no module`, async () => {
    const error = await throwsCode(() => rewrite(code, 'x.js'), 'ERR_SIGNEDIMP_OUTPUT')
    assert.match(error.message, /^ERR_SIGNEDIMP_OUTPUT x\.js: /)
    assert.ok(error.cause)
  })

// Names.

test('a name that the code holds is not taken, wherever it stands in it', async () => {
  const code = 'const _simp_ = "_simp1"\nexport const done = import("./b.js")'
  assert.match(await rewrite(code), /done = _simp2\("\.\/b\.js"\)\n;function _simp2\(/)
  assert.is((await run(code)).calls.length, 1)
})

test('a name of import.meta that the code holds is not taken', async () => {
  const code = 'const _simpmeta = 1\nexport const s = import.meta.url'
  assert.match(await rewrite(code), /s = _simpmet1\(\)\.url\n/)
  assert.is((await run(code)).exported['s'], 'https://x/a.js')
})

test('the same names stay free when dozens are taken', async () => {
  const taken = Array.from({ length: 80 }, (_, n) => `_simp${n.toString(36)}`)
  const longer = Array.from({ length: 80 }, (_, n) => `_sim${n.toString(36).padStart(2, '0')}`)
  const code = `const s = "_simp_ ${taken.join(' ')} ${longer.join(' ')}"\nexport const done = import("./b.js")`
  const text = await rewrite(code)
  const [, name] = /done = (\w+)\("/.exec(text)!
  assert.is(name!.length, 6)
  assert.not.match(code, new RegExp(name!))
  assert.is((await run(code)).calls.length, 1)
})

// Lengths and places.

const places =
  'const a = 1; const load = () => import(\n"./b.js"), m = import.meta\n  .url\nexport { load, m }\n//# sourceMappingURL=a.js.map\n'

test('nothing moves: every character outside of what is replaced stays where it was', async () => {
  const codes = [places, ...Object.values(calls).map(([code]) => code)]
  for (const code of [...codes, ...Object.values(metas).map(([text]) => text)]) {
    if (/import\s*\n\s*\.meta/.test(code)) continue
    const body = code.split('\n//# source')[0]!
    assert.is(masked((await rewrite(code)).slice(0, body.length)), masked(body), code)
  }
})

/** A text without the names that are exchanged, and without the spaces behind them that keep the length. */
const masked = (text: string): string =>
  text
    .replace(/(import *\. *meta|_simpmeta\(\)) */g, (found) => '?'.repeat(found.length))
    .replace(/\bimport(?=\s*(\/\*[^]*?\*\/|\/\/.*\n)?\s*\()|_simp\w/g, '??????')

test('line breaks stay, so that every line of a source map keeps its number', async () => {
  for (const code of [
    'const a = import\n.meta.url\nexport { a }',
    'export const a = import /*\n\n*/ . meta',
  ])
    assert.is(
      (await rewrite(code)).split('\n;function')[0]!.split('\n').length,
      code.split('\n').length,
    )
})

test('the imports are where the manifest will say, in the text that is emitted', async () => {
  await init()
  const code =
    'import { x } from "./x.js"\nimport"./y.js";export * from \'./z.js\'\nexport { w } from "./ü.js"\nimport("./lazy.js")'
  for (const [before, body] of [
    ['', code],
    ['', '"ü";' + code],
    ['\ufeff', code],
    ['\ufeff', '"ü";' + code],
  ] as const) {
    const { code: text, imports } = await rewriteModule('a.js', before + body)
    assert.is(text.indexOf('\ufeff'), 0)
    assert.is(text.lastIndexOf('\ufeff'), 0)
    const found = imports.map(({ start, end }) => text.slice(1).slice(start, end))
    assert.equal(found, ['./x.js', './y.js', './z.js', './ü.js'])
    assert.is(parse(text.slice(1))[0].filter(({ type }) => type === 'dynamic').length, 0)
  }
})

test('specifiers are as the text means them, not as it spells them', async () => {
  const { imports } = await rewriteModule('a.js', 'import "./\\x62.js"')
  assert.is(imports[0]?.specifier, './b.js')
})

// What is added.

test('a module that uses neither is not touched', async () => {
  const code = 'import "./b.js"\nexport const a = 1\n//# sourceMappingURL=a.js.map'
  assert.is(await rewrite(code), code)
})

for (const [what, tail] of Object.entries({
  'the comment of a source map': '\n//# sourceMappingURL=a.js.map',
  'that and a line break': '\n//# sourceMappingURL=a.js.map\n',
  'an inline source map': '\n//# sourceMappingURL=data:application/json;base64,eyJ9',
  'a debug id before it':
    '\n//# debugId=85314830-023f-4cf1-a267-535f4e37bb17\n//# sourceMappingURL=a.js.map',
  'a debug id behind it':
    '\n//# sourceMappingURL=a.js.map\n//# debugId=85314830-023f-4cf1-a267-535f4e37bb17\n',
}))
  test(`the helpers stand before what must stay last: ${what}`, async () => {
    const code = 'export const done = import("./b.js")'
    assert.is(
      await rewrite(code + tail),
      `export const done = _simp_("./b.js")\n;${wrapper()}${tail}`,
    )
  })

test('a comment on the last line does not swallow the helpers', async () => {
  const { calls: seen } = await run('export const done = import("./b.js") // the end')
  assert.is(seen.length, 1)
})

test('both helpers share a line', async () => {
  const text = await rewrite('import("./b.js", import.meta)')
  assert.is(text, `_simp_("./b.js", _simpmeta())\n;${wrapper()};${meta()}\n`)
})

test('the path is baked in, in ASCII, whatever it holds', async () => {
  const path = 'ü/"quoted"/\\u0022/😀.js'
  assert.match(await rewrite('export const done = import("./b.js")', path), /^[\0-\x7f]*$/)
  const { calls: seen } = await run('export const done = import("./b.js")', path)
  assert.is(seen[0]?.from, path)
})

// The byte order mark: against servers that name another charset, which preloads obey even for a text in ASCII.

for (const [what, code] of Object.entries({
  'ASCII only': 'export const s = 1',
  'a string': 'export const s = "ü"',
  'a comment': '// ü\nexport const s = 1',
  'a character of two units': 'export const s = 1 //\u{1f600}',
  nothing: '',
}))
  test(`every module starts with one byte order mark: ${what}`, async () => {
    assert.is((await rewriteModule('a.js', code)).code, '\ufeff' + code)
    assert.is((await rewriteModule('a.js', '\ufeff' + code)).code, '\ufeff' + code)
  })

test('a byte order mark does not shift the calls', async () => {
  const code = '\ufeffexport const s = "ü", done = import("./b.js")'
  assert.match(await rewrite(code), /^export const s = "ü", done = _simp_\("\.\/b\.js"\)\n/)
})

// The version.

test('the same text gives the same bytes, and rewriting again changes nothing', async () => {
  const once = await rewrite(places)
  assert.is(await rewrite(places), once)
  assert.is(await rewrite(once), once)
})

test('the version is what file names depend on', () => {
  assert.match(rewriterVersion, /^signedimp-rewriter-\d+$/)
})

test.run()
