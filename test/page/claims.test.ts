import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createClaims } from '../../src/page/claims.ts'

// A module is the browser's or linked in memory, never both.

test('what the browser has is not claimed', () => {
  const claims = createClaims()
  claims.begin(new Set(['main', 'shared']))(true)
  assert.equal(claims.claim(new Set(['lazy', 'shared'])), [])
  assert.equal(['main', 'shared', 'lazy'].map(claims.isNative), [true, true, false])
  assert.is(claims.hasLinked(new Set(['main', 'shared'])), false)
  assert.is(claims.hasLinked(new Set(['other', 'lazy'])), true)
})

test('what the browser is about to load is not claimed before that is over', async () => {
  const claims = createClaims()
  const settle = claims.begin(new Set(['other', 'shared']))
  const wanted = new Set(['lazy', 'shared'])
  const [busy, ...rest] = claims.claim(wanted)
  assert.ok(busy instanceof Promise)
  assert.equal(rest, [])
  assert.is(claims.hasLinked(wanted), false)
  settle(true)
  await busy
  assert.equal(claims.claim(wanted), [])
  assert.is(claims.hasLinked(new Set(['shared'])), false)
})

test('what the browser failed to load is claimed', () => {
  const claims = createClaims()
  claims.begin(new Set(['lazy', 'shared']))(false)
  assert.equal(claims.claim(new Set(['lazy', 'shared'])), [])
  assert.is(claims.hasLinked(new Set(['shared'])), true)
})

test('imports of other modules do not matter', () => {
  const claims = createClaims()
  claims.begin(new Set(['other']))
  assert.equal(claims.claim(new Set(['lazy'])), [])
})

test.run()
