import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findRaw } from '../../src/emit/raw-scripts.ts'
import type { Output } from '../../src/emit/output.ts'

// What a build copies, and what of it may start a worker.

async function judge(source: string, path = 'assets/raw.js'): Promise<string> {
  const output: Output = new Map([[path, { path, source, isModule: false, isEntry: false }]])
  const [found] = await findRaw(output, () => true)
  return found ? (found.isModule ? 'module' : 'script') : 'nothing'
}

const texts: [what: string, source: string, judged: string][] = [
  ['a module', 'onmessage = () => {}\nexport {}', 'module'],
  ['a module that imports later', 'export const a = () => postMessage(import(b))', 'module'],
  ['a script', 'self.onmessage = () => self.postMessage(1)', 'script'],
  ["a worklet's", 'registerProcessor("a", A)', 'script'],
  ['a script that imports later', 'onmessage = () => import("./b.js")', 'nothing'],
  ['a script that pages may run', 'window.parent.postMessage(1, "*")', 'nothing'],
  ['what says nothing to anybody', 'globalThis.a = 1', 'nothing'],
  ['a service worker', 'onfetch = 1\npostMessage', 'nothing'],
  ['another', 'addEventListener("install", () => postMessage(1))', 'nothing'],
  ['a service worker that is a module', 'skipWaiting()\npostMessage(1)\nexport {}', 'nothing'],
  ['a shared worker', 'onconnect = ({ ports }) => ports[0].postMessage(1)', 'nothing'],
  ['what nobody can read', 'postMessage(1); `${', 'nothing'],
]

for (const [what, source, judged] of texts)
  test(what, async () => assert.is(await judge(source), judged))

test('only what has the name of a script', async () => {
  assert.is(await judge('onmessage = 1', 'assets/raw.ts'), 'nothing')
})

test('only what may be checked', async () => {
  const file = { path: 'a.js', source: 'onmessage = 1', isModule: false, isEntry: false }
  assert.equal(await findRaw(new Map([['a.js', file]]), () => false), [])
})

test('nothing that a page loads by a tag', async () => {
  const file = { isModule: false, isEntry: false }
  const output: Output = new Map([
    ['a.js', { ...file, path: 'a.js', source: 'onmessage = 1' }],
    ['index.html', { ...file, path: 'index.html', source: '<script src="/a.js"></script>' }],
  ])
  assert.equal(await findRaw(output, () => true), [])
})

test.run()
