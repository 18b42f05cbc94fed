import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatReport, type Report } from '../../src/emit/report.ts'

const report: Report = {
  name: 'shop',
  build: undefined,
  expires: undefined,
  fingerprints: ['f'.repeat(64)],
  threshold: 1,
  oneTimeKey: false,
  signed: true,
  modules: { count: 3, bytes: 2048 },
  server: false,
  pages: 2,
  templates: [],
  entries: [],
  bootstrap: { integrity: 'sha256-abc=', inline: true },
  maps: [],
  external: [],
  pure: false,
  remember: undefined,
  unverified: [],
  fetched: 0,
  unchecked: {},
  sameOrigin: true,
  milliseconds: 12.4,
}
const lines = (change: Partial<Report> = {}) => formatReport({ ...report, ...change })
const text = (change: Partial<Report> = {}) => lines(change).join('\n')

test('that pages may do without https', () => {
  assert.not.match(text(), 'plain http')
  assert.match(text({ pure: true }), '\n  pure: starts over plain http too')
})

test('what was signed, with which key', () => {
  assert.is(lines()[0], 'signedimp: signed shop: 3 modules, 2.0 KB, 2 pages, 12 ms')
  assert.is(lines()[1], `  key ${'f'.repeat(64)}`)
  assert.match(lines({ build: 0 })[0]!, 'shop build 0:')
  assert.match(text({ expires: '2099-01-01T00:00:00Z' }), '\n  expires 2099-01-01T00:00:00Z')
})

test('a one-time key says what it is', () => {
  assert.match(lines({ oneTimeKey: true })[1]!, 'one-time')
  assert.not.match(text(), 'one-time')
})

test('other keys that pages accept, and signatures that are still missing', () => {
  const more = text({ fingerprints: ['a', 'b', 'c'], threshold: 2 })
  assert.match(more, 'also accepted: b')
  assert.match(more, 'also accepted: c')
  assert.match(more, /need 2 signatures.*"signedimp sign"/)
  assert.not.match(text(), 'signatures')
})

test('a build that others sign later says so, first of all', () => {
  const unsigned = lines({ signed: false, threshold: 2, fingerprints: ['a', 'b'] })
  assert.match(unsigned[0]!, /^signedimp: listed, but NOT SIGNED YET: shop/)
  assert.match(unsigned.join('\n'), /need 2 signatures, and this build has none/)
  assert.not.match(text({ threshold: 2 }), 'has none')
})

test('the source for a policy, where the bootstrap is inline', () => {
  assert.match(text(), "'sha256-abc='")
  assert.not.match(text({ bootstrap: { integrity: 'sha256-abc=', inline: false } }), 'sha256-abc=')
})

test("the sources of a page's map, where it is the same in each view", () => {
  const maps = [{ page: 'sub/index.html', hashes: ["'sha256-map='", "'sha256-control='"] }]
  const told = "\n  import map of sub/index.html for its policy: 'sha256-map=' 'sha256-control='"
  assert.ok(text({ maps }).includes(told))
  assert.not.match(text(), 'import map')
})

test('what is listed and not enforced is counted', () => {
  const unchecked = { images: 2, fonts: 1, 'stylesheets that no page or chunk links': 1 }
  assert.match(
    text({ unchecked }),
    /not enforced.*: 2 images, 1 font, 1 stylesheet that no page or chunk links/,
  )
  assert.not.match(text(), 'not enforced')
})

test('everything that is unverified is listed with its reason', () => {
  const unverified = [
    { name: 'sw.js', reason: 'a worker' },
    { name: 'a.wasm', reason: 'WebAssembly' },
  ]
  assert.match(text({ unverified }), 'UNVERIFIED sw.js: a worker\n  UNVERIFIED a.wasm: WebAssembly')
})

test('the promise names its limit: other documents of the same host', () => {
  assert.match(text(), 'other documents that the same host serves on this origin are not covered')
  assert.not.match(text({ sameOrigin: false }), 'are not covered')
})

test.run()
