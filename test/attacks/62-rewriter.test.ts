import type { BuildOptions } from 'esbuild'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { rewriteModule } from '../../src/emit/rewrite.ts'
import { findUnwrapped } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildByEsbuild } from '../support/esbuild.ts'
import { runInNode } from '../support/run-in-node.ts'
import { throwsCode } from '../support/throws.ts'

// More of each in test/emit/rewrite.test.ts, which also runs what comes out.

const words: Record<string, string> = {
  'a string': 'x = "import(1) import.meta"',
  'a comment': '/* import(1) import.meta */ // import(2)',
  'a regular expression': 'x = /import(1)|import.meta/',
  'a template': 'x = `import(1) import.meta`',
  'a method': 'x.import(1)',
  'an optional method': 'x?.import(1)',
  'a key': 'x = { import: 1 }',
}

attack(
  62,
  'the word import where it is no call',
  { variants: Object.keys(words), quick: true },
  async (variant) => {
    const code = words[variant]!
    assert.is((await rewriteModule('a.js', code)).code, '\ufeff' + code)
    return 'ok not a byte is changed'
  },
)

const calls: Record<string, string> = {
  'a comment before the bracket': 'import/*x*/("./b.js")',
  'a line break before the bracket': 'import\n("./b.js")',
  'a computed specifier': 'import(x + ".js")',
  'a second argument': 'import("./b.js", { with: { type: "json" } })',
  'in a template': '`${import("./b.js")}`',
  'behind a regular expression': '/["`]/.test(x), import("./b.js")',
  'import.meta': 'import.meta.url',
  'import.meta as an argument': 'new URL("./w.js", import.meta.url)',
}

attack(
  62,
  'calls however they are written',
  { variants: Object.keys(calls), quick: true },
  async (variant) => {
    const code = calls[variant]!
    const { code: text } = await rewriteModule('a.js', code)
    const body = text.slice(1, 1 + code.length)
    assert.not.match(body, /\bimport\b/)
    assert.is(body.length, code.length)
    assert.is(body.replace(/_simp_|_simpmeta\(\)/, ''), code.replace(/import\.meta|import/, ''))
    return 'ok the call goes through the wrapper, with all its arguments'
  },
)

const refused = [
  'import.source("./b.wasm")',
  'import.defer("./b.js")',
  'new import.meta.A()',
  'import source b from "./b.wasm"',
]

attack(
  62,
  'syntax that no wrapper can stand for',
  { variants: refused, quick: true },
  async (code) => {
    const error = await throwsCode(() => rewriteModule('a.js', code), 'ERR_SIGNEDIMP_OUTPUT')
    return `refused ${error.code}`
  },
)

/** Everything above in one app, as esbuild prints it: it moves, unwraps and renames what it can. */
const odd = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': `const x = { import: (n) => n }
globalThis.text = ["import(1) import.meta", \`import(2) import.meta\`, /import(3)|import.meta/.source]
/* import(4) import.meta */ //! import(5) import.meta
globalThis.methods = [x.import(6), x?.import(7)]
class Named { static from = async (name) => import(/* a comment ( */ name) }
globalThis.done = Promise.all([import/*x*/("./lazy.js"), Named.from("./lazy.js"), /["\\\`]/.test("'"), \`\${(await import("./lazy.js")).word}\`, import.meta.url, Named.name, ...["one", "two"].map((name) => import("./parts/" + name + ".js"))])
`,
  'src/lazy.js':
    'export const word = "caf\u00e9"; export const url = new URL("./w.js", import.meta.url).href',
  'src/parts/one.js': 'export const one = 1',
  'src/parts/two.js': 'export const two = import.meta.url',
}

const prints: Record<string, BuildOptions> = {
  readable: {},
  minified: { minify: true },
  'with names kept': { minify: true, keepNames: true },
  'for an old target': { target: 'es2022', charset: 'utf8' },
}

attack(62, 'calls as esbuild prints them', { variants: Object.keys(prints) }, async (variant) => {
  const key = await generateKey('ed25519')
  const config = { publicPath: '', ...prints[variant] }
  const { dir } = await buildByEsbuild(odd, { key, config })
  const plain = await buildByEsbuild(odd, { config })
  assert.equal(await findUnwrapped(dir), [])
  const seen = runInNode(dir, 'assets/index.js')
  assert.equal(seen.values, runInNode(plain.dir, 'assets/index.js').values)
  assert.equal([...new Set(seen.calls)].sort(), ['assets/index.js'])
  assert.is(seen.calls.length, 5)
  return 'ok the calls go through the wrapper, and the texts are as they were'
})

attacks.run()
