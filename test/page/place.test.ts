import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { overlap, toBase } from '../../src/page/place.ts'

// Roots that share a URL, or that a server may take for one (attack 125).

const sharing: [one: string, other: string][] = [
  ['https://x.example/app/', 'https://x.example/app/'],
  ['https://x.example/app', 'https://x.example/app/'],
  ['https://x.example/', 'https://x.example/app/'],
  ['https://x.example', 'https://x.example/app/'],
  ['https://x.example/app/', 'https://x.example/app/plugins/a/'],
  ['https://x.example:443/app/', 'https://x.example/app/'],
  ['http://x.example:80/app/', 'http://x.example/app/'],
  ['https://X.Example/app/', 'https://x.example/app/'],
  ['https://x.example./app/', 'https://x.example/app/'],
  ['https://x.example/App/', 'https://x.example/app/'],
  ['https://x.example/%61pp/', 'https://x.example/app/'],
  ['https://x.example/%41pp/', 'https://x.example/app/'],
  ['https://x.example/caf%C3%A9/', 'https://x.example/café/'],
  ['https://x.example/cafe%CC%81/', 'https://x.example/caf%c3%a9/'],
  ['https://x.example//app/', 'https://x.example/app/'],
  ['https://x.example/app//', 'https://x.example/app/a/'],
  ['https://x.example/b/../app/', 'https://x.example/app/'],
  ['https://x.example/b/%2e%2e/app/', 'https://x.example/app/'],
  ['https://x.example\\app', 'https://x.example/app/'],
  ['https://bücher.example/', 'https://xn--bcher-kva.example/a/'],
  ['https://127.1/a/', 'https://127.0.0.1/a/'],
  [' https://x.example/app/ ', 'https://x.example/app/'],
  ['https://x.example/a\tpp/', 'https://x.example/app/'],
]

for (const [one, other] of sharing)
  test(`${one} and ${other} share URLs`, () => {
    assert.ok(overlap(toBase(one), toBase(other)))
    assert.ok(overlap(toBase(other), toBase(one)))
  })

const apart: [one: string, other: string][] = [
  ['https://x.example/app/', 'https://x.example/app2/'],
  ['https://x.example/app/', 'https://x.example/ap/'],
  ['https://x.example/a/', 'https://y.example/a/'],
  ['https://x.example/', 'https://x.example:8443/'],
  ['https://x.example/', 'https://a.x.example/'],
  ['https://x.example/a%20b/', 'https://x.example/a/'],
]

for (const [one, other] of apart)
  test(`${one} and ${other} share none`, () => {
    assert.not.ok(overlap(toBase(one), toBase(other)))
    assert.not.ok(overlap(toBase(other), toBase(one)))
  })

const mistakes: [base: unknown, words: RegExp][] = [
  [undefined, /^"base" must be the URL of a folder, got undefined$/],
  ['', /^"base" must be the URL of a folder, got ""$/],
  [7, /got 7$/],
  [{}, /got object$/],
  ['app/', /must be an http: or https: URL, got "app\/"$/],
  ['ftp://x.example/', /must be an http: or https: URL/],
  ['file:///app/', /must be an http: or https: URL/],
  ['blob:https://x.example/1', /must be an http: or https: URL/],
  ['data:text/javascript,1', /must be an http: or https: URL/],
  ['app://x/', /must be an http: or https: URL/],
  ['https://u@x.example/', /without a user name/],
  ['https://u:p@x.example/', /without a user name/],
  ['https://x.example/?a', /without a query or a fragment/],
  ['https://x.example/?', /without a query or a fragment/],
  ['https://x.example/#', /without a query or a fragment/],
  ['https://x.example/a%2Fb/', /read in one way only/],
  ['https://x.example/a%5cb/', /read in one way only/],
  ['https://x.example/%2561pp/', /read in one way only/],
  ['https://x.example/%00/', /read in one way only/],
  ['https://x.example/%ff/', /read in one way only/],
  ['https://x.example/%/', /read in one way only/],
]

for (const [base, words] of mistakes)
  test(`${String(base)} is no root`, () => {
    try {
      toBase(base)
    } catch (error) {
      assert.instance(error, TypeError)
      return assert.match((error as Error).message, words)
    }
    assert.unreachable(String(base))
  })

test('a root is a folder, as a text or a URL', () => {
  assert.is(toBase('https://x.example/app'), 'https://x.example/app/')
  assert.is(toBase(new URL('https://x.example:443/a/./b')), 'https://x.example/a/b/')
})

test.run()
