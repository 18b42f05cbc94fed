import * as assert from 'uvu/assert'
import { rewriteModule } from '../../src/emit/rewrite.ts'
import { attack, attacks } from '../support/attack.ts'
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

attacks.run()
