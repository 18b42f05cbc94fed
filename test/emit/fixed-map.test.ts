import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fixMap } from '../../src/emit/fixed-map.ts'
import { carrierOf, chunk, emit, entry, type Bundled, type EmitOptions } from './emitted.ts'

// What the option `policy: 'self'` tells of import maps. test/browser/fixed-map.test.ts has browsers compare.

const sri = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const listed = {
  hash: 'sha256' as const,
  files: new Map([
    ['a.js', '00'.repeat(32)],
    ['look.css', 'ff'.repeat(32)],
  ]),
}
const [zeros, ones] = [`sha256-${'A'.repeat(43)}=`, `sha256-${'/'.repeat(42)}8=`]
const control = 'self["signedimp"](s=>import.meta.resolve(s))//'
const good = `data:text/javascript,${control}`
const proof = sri(control).slice(1, -1)

test('the hash is that of the text that a page makes', () => {
  const { folder, hashes, hosts } = fixMap(listed, '/shop/')
  const text = JSON.stringify({
    imports: {
      'https://': 'data:,/',
      'http://': 'data:,/',
      '/shop/a.js': '/shop/a.js#signedimp',
      '/shop/look.css': '/shop/look.css',
    },
    integrity: {
      '/shop/a.js#signedimp': zeros,
      '/shop/look.css': ones,
      [`${good}1`]: proof,
      [good]: proof,
    },
  })
  assert.equal(hashes, [sri(text), sri(control)])
  assert.equal([folder, hosts], ['/shop/', ["'self'"]])
})

test('what a tag may spell like a name is an address in a map', () => {
  const spelled = ['js/', './js/', '../js/', '/js/', '//cdn.example/', 'https://cdn.example/js/']
  assert.equal(
    spelled.map((folder) => fixMap(listed, folder).folder),
    ['./js/', ...spelled.slice(1)],
  )
})

test('hosts are those of all that a map has an address of', () => {
  const own = JSON.stringify({
    imports: { far: 'https://far.example/far.js#', none: null, 'pack/': 'data:,/' },
    scopes: { '/sub/': { inner: 'https://inner.example:8443/a.js#' } },
    integrity: {},
  })
  const { hosts } = fixMap(listed, '//cdn.example/x/', undefined, own)
  assert.equal(hosts, ['https://far.example', 'cdn.example', 'https://inner.example:8443'])
})

const app: Bundled = {
  'assets/main.js': entry('globalThis.open = () => import("./a.js")'),
  'assets/a.js': chunk('export const a = 1'),
  'index.html':
    '<!doctype html><meta charset=utf-8><script type=module src=assets/main.js></script>',
}

const folderOf = async (options: EmitOptions): Promise<string | undefined> =>
  carrierOf((await emit(app, options)).text('index.html'))!.attributes['data-folder']

test('pages say where listed paths start, and only where their map is to be the same', async () => {
  assert.is(await folderOf({ policy: 'self', base: '/x/' }), '/x/')
  assert.is(await folderOf({ policy: 'self', base: '' }), './')
  assert.is(await folderOf({ base: '/x/' }), undefined)
})

test('the same build has the same hashes', async () => {
  const policy = async (files: Bundled = {}) => {
    const out = await emit({ ...app, ...files }, { policy: 'self', headers: ['_headers'] })
    return /Content-Security-Policy: (.+)/.exec(out.text('_headers'))![1]!
  }
  assert.is(await policy(), await policy())
  assert.is.not(await policy(), await policy({ 'assets/a.js': chunk('export const a = 2') }))
})

test.run()
