import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findPreloads, refuseUnknownHelpers } from '../../src/emit/vite-preload.ts'
import { throwsCode } from '../support/throws.ts'
import { chunk, emit, entry } from './emitted.ts'

const helper = (call = 'document.head.appendChild(t)') =>
  `let p=(t,l)=>{${call};if(l)return new Promise((e,n)=>{t.addEventListener("error",()=>n(Error(\`Unable to preload CSS for \${t}\`)))})};let q=e=>{let t=new Event("vite:preloadError",{cancelable:!0});dispatchEvent(t)};`
const list = (...files: string[]) =>
  `const __vite__mapDeps=(i,m=__vite__mapDeps,d=(m.f||(m.f=${JSON.stringify(files)})))=>i.map(i=>d[i]);\n`
const older = '__vite__mapDeps.viteFileDeps = ["assets/a.css"]'

const stylesOf = (code: string) => findPreloads(code).styles

const app = (code: string) => ({
  'index.html': '<!doctype html><script type="module" src="/assets/index.js"></script>',
  'assets/index.js': entry(code),
  'assets/a.js': chunk('export {}'),
  'assets/a.css': 'a{}',
})

test('the call that puts a link into the page, and no other', () => {
  const code = `document.head.appendChild(own);${helper()}document.head.appendChild(other)`
  const found = findPreloads(code).calls
  assert.is(found.length, 1)
  assert.is(found[0]![0], code.indexOf('document.head.appendChild(t)'))
  assert.is(code.slice(...found[0]!), 'document.head.appendChild')
})

test('what only speaks of it is left alone', () => {
  for (const code of [
    'document.head.appendChild(link);if(e.message.startsWith("Unable to preload CSS"))retry()',
    'addEventListener("vite:preloadError",()=>document.head.appendChild(note))',
    'document.head.append(t);throw Error("Unable to preload CSS for ")',
  ])
    assert.equal(findPreloads(code).calls, [], code)
})

test('the call becomes one of as many characters', async () => {
  const before = list('assets/a.js', 'assets/a.css') + helper()
  const { text } = await emit(app(before))
  const after = text('assets/index.js').replace(/^\ufeff/, '')
  const at = before.indexOf('(t);if')
  assert.is(after.slice(at, at + 6), '(t);if')
  assert.match(after, /\b_simplink +\(t\)/)
  assert.match(after, 'function _simplink(l){return __signedimp.link(l)}')
  assert.not.match(after, 'document.head.appendChild')
})

test('stylesheets are read from the lists of every version of Vite', () => {
  assert.equal(stylesOf(list('assets/a.js', 'assets/a.css', './b.css?x')), [
    'assets/a.css',
    './b.css',
  ])
  assert.equal(stylesOf(older), ['assets/a.css'])
  assert.equal(stylesOf('m.f=["assets/a.css"]'), [])
})

test('a helper that is not found is an error where there are stylesheets to link', async () => {
  const listed = list('assets/a.css')
  for (const code of [listed, listed + helper('document.body.appendChild(t)')])
    await throwsCode(() => emit(app(code)), 'ERR_SIGNEDIMP_OUTPUT')
  await throwsCode(() => emit(app(list('assets/none.css') + helper())), 'ERR_SIGNEDIMP_OUTPUT')
  await emit(app(listed + helper()))
  await emit(app(helper('document.body.appendChild(t)')))
})

test('one helper of two that is not found is an error', () => {
  const modules = (other: string) =>
    new Map([
      ['a.js', findPreloads(list('a.css') + helper())],
      ['b.js', findPreloads(other)],
    ])
  refuseUnknownHelpers(modules(helper()))
  assert.throws(
    () => refuseUnknownHelpers(modules(helper('f(t)'))),
    /^ERR_SIGNEDIMP_OUTPUT b\.js: loads stylesheets later/,
  )
})

test('an entry without a page lists the stylesheets of what it may load', async () => {
  const { 'index.html': _, ...files } = app(list('assets/a.css') + helper())
  const { manifests } = await emit({ ...files, 'assets/other.css': 'b{}' })
  const [manifest] = manifests.values()
  assert.ok(manifest!.files.has('assets/a.css'))
  assert.not(manifest!.files.has('assets/other.css'))
})

test.run()
