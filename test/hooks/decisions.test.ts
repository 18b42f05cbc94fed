import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatOf } from '../../src/hooks/format.ts'
import { check, checkPlace, locate, type Judge, type Policy } from '../../src/hooks/judge.ts'
import { readWhole } from '../../src/hooks/read.ts'
import { checkFound, findNamed } from '../../src/hooks/resolve.ts'
import { openRoot, type Root } from '../../src/hooks/root.ts'
import { scratchFolder } from '../support/processes.ts'
import { signProgram } from '../support/server-program.ts'
import { throwsCode } from '../support/throws.ts'

// What is decided about files of signed folders, without a loader that asks.

async function open(files: Record<string, string>): Promise<Root> {
  const { folder, signer } = await signProgram(files)
  return openRoot({ base: folder, name: 'shop', keys: [signer.key], threshold: 1 })
}

const judgeOf = (root: Root, nodeModules: Policy['nodeModules'] = 'refused'): Judge => ({
  roots: [root],
  policy: { nodeModules },
})

test('a file is what its name says, or the nearest signed package.json, or its own text', async () => {
  const formats: Record<string, [format: string, text: string]> = {
    'a.mjs': ['module', ''],
    'a.cjs': ['commonjs', 'import "x"'],
    'a.json': ['json', '1'],
    'a.wasm': ['wasm', ''],
    'a.node': ['addon', ''],
    'esm/a.js': ['module', ''],
    'esm/deep/a.js': ['module', ''],
    'esm/cjs/a.js': ['commonjs', 'exports.a = 1'],
    'esm/silent/a.js': ['commonjs', ''],
    'a.js': ['commonjs', 'exports.a = 1'],
    'import.js': ['module', 'import "./a.mjs"'],
    'await.js': ['module', 'await 1'],
    'hashbang.js': ['commonjs', '#!/usr/bin/env node\nreturn'],
    'broken.js': ['module', '}{'],
  }
  const texts = Object.entries(formats).map(([path, [, text]]) => [path, text] as const)
  const root = await open({
    ...Object.fromEntries(texts),
    'esm/package.json': '{"type":"module"}',
    'esm/cjs/package.json': '{"type":"commonjs"}',
    'esm/silent/package.json': '{"name":"silent"}',
  })
  // What nobody signed says nothing.
  writeFileSync(join(root.folder, 'package.json'), '{"type":"module"}')
  mkdirSync(join(root.folder, 'esm/deep'), { recursive: true })
  writeFileSync(join(root.folder, 'esm/deep/package.json'), '{"type":"commonjs"}')
  for (const [path, [format]] of Object.entries(formats))
    assert.is(formatOf(checkPlace({ root, path })), format, path)
})

test('a module that the manifest says imports something is none of CommonJS', async () => {
  const root = await open({ 'a.js': '' })
  const known = { ...root, importers: new Map([['a.js', []]]) }
  assert.is(formatOf(checkPlace({ root: known, path: 'a.js' })), 'module')
})

test('a signed package.json that is gone or changed is refused', async () => {
  const files = { 'package.json': '{"type":"module"}', 'a.js': '' }
  const changed = await open(files)
  writeFileSync(join(changed.folder, 'package.json'), '{"type":"commonjs"}')
  const format = (root: Root) => () => formatOf(checkPlace({ root, path: 'a.js' }))
  await throwsCode(format(changed), 'ERR_SIGNEDIMP_CHANGED')
  const gone = await open(files)
  rmSync(join(gone.folder, 'package.json'))
  await throwsCode(format(gone), 'ERR_SIGNEDIMP_MISSING')
})

test('files of node_modules run as they are where somebody chose it, and no path leads out of there', async () => {
  const root = await open({ 'a.js': '' })
  const [strict, lenient] = [judgeOf(root), judgeOf(root, 'unverified')]
  const pack = '/srv/node_modules/pack/index.js'
  assert.is(check(lenient, pack), undefined)
  for (const path of ['/srv/other.js', '/srv/node_modules/../evil.js', '/srv/node_modules.js'])
    await throwsCode(() => check(lenient, path), 'ERR_SIGNEDIMP_UNLISTED')
  await throwsCode(() => check(strict, pack), 'ERR_SIGNEDIMP_UNLISTED')
  const own = join(root.folder, 'node_modules/pack/index.js')
  await throwsCode(() => check(lenient, own), 'ERR_SIGNEDIMP_UNLISTED')
})

test('a root is found through links to it, and links in it lead nowhere', async () => {
  const root = await open({ 'lib/a.js': '' })
  const current = join(scratchFolder(), 'current')
  symlinkSync(root.folder, current)
  const judge = judgeOf(root)
  assert.equal(locate(judge, join(current, 'lib/a.js')), { root, path: 'lib/a.js' })
  symlinkSync(join(root.folder, 'lib'), join(root.folder, 'link'))
  assert.is(locate(judge, join(root.folder, 'link/a.js'))!.path, 'link/a.js')
  await throwsCode(() => check(judge, join(root.folder, 'link/a.js')), 'ERR_SIGNEDIMP_UNLISTED')
})

test('a specifier means the file that it names, and require searches among those that are listed', async () => {
  const root = await open({
    'a.js': '',
    'b.json': '1',
    'dir/index.js': '',
    'main/package.json': '{"main":"lib"}',
    'main/lib/index.js': '',
    'main/index.js': '',
  })
  const parent = pathToFileURL(join(root.folder, 'from.js')).href
  const find = (specifier: string, isPath: boolean) =>
    findNamed(judgeOf(root), { specifier, parent, isPath })?.path
  writeFileSync(join(root.folder, 'a'), '')
  for (const [specifier, path] of Object.entries({
    './a': 'a.js',
    './b': 'b.json',
    './dir': 'dir/index.js',
    './main': 'main/lib/index.js',
    './main/': 'main/lib/index.js',
  }))
    assert.is(find(specifier, true), path, specifier)
  assert.is(find('./a.js?query', false), 'a.js')
  assert.is(find('pack', true), undefined)
  assert.is(find('../outside.js', true), undefined)
  for (const specifier of ['./a', './dir', './none.js'])
    await throwsCode(() => find(specifier, false), 'ERR_SIGNEDIMP_UNLISTED')
  await throwsCode(() => find('./none', true), 'ERR_SIGNEDIMP_UNLISTED')
})

const pack = 'node_modules/pack'

/** Whether what a runtime has found for a name may be meant. */
async function found(specifier: string, path: string, tamper: (root: Root) => void = () => {}) {
  const root = await open({
    'package.json': '{"name":"app","imports":{"#part":"./part.js"}}',
    'part.js': '',
    'lib/asks.js': '',
    [`${pack}/package.json`]: '{"name":"pack"}',
    [`${pack}/index.js`]: '',
    [`node_modules/other/index.js`]: '',
  })
  tamper(root)
  const url = (file: string) => pathToFileURL(join(root.folder, file)).href
  checkFound(judgeOf(root), { specifier, parent: url('lib/asks.js'), isPath: false }, url(path))
}

test('a package is where its name says, or says its name itself', async () => {
  await found('pack', `${pack}/index.js`)
  await found('pack/index.js', `${pack}/index.js`)
  await found('app/part', 'part.js')
  await found('#part', 'part.js')
  for (const [specifier, path] of [
    ['pack', 'part.js'],
    ['pack', 'node_modules/other/index.js'],
    ['@scope/pack', `${pack}/index.js`],
    ['./pack', `${pack}/index.js`],
  ] as const)
    await throwsCode(() => found(specifier, path), 'ERR_SIGNEDIMP_UNLISTED')
})

test('no package.json above what asks, or what is found, may be unsigned or changed', async () => {
  const write = (path: string) => (root: Root) => writeFileSync(join(root.folder, path), '{}')
  const refused = (tamper: (root: Root) => void, code: string) =>
    throwsCode(() => found('pack', `${pack}/index.js`, tamper), code)
  await refused(write('package.json'), 'ERR_SIGNEDIMP_CHANGED')
  await refused(write(`${pack}/package.json`), 'ERR_SIGNEDIMP_CHANGED')
  await refused(write('lib/package.json'), 'ERR_SIGNEDIMP_UNLISTED')
  await refused(write('node_modules/package.json'), 'ERR_SIGNEDIMP_UNLISTED')
  const pipe = (root: Root) =>
    execFileSync('mkfifo', [join(root.folder, 'node_modules/package.json')])
  await refused(pipe, 'ERR_SIGNEDIMP_UNLISTED')
  await refused((root) => rmSync(join(root.folder, 'package.json')), 'ERR_SIGNEDIMP_MISSING')
})

test('a file is read if it is one, and ends', () => {
  const folder = scratchFolder()
  const at = (name: string) => join(folder, name)
  writeFileSync(at('file'), 'text')
  symlinkSync(at('file'), at('link'))
  symlinkSync(at('circle'), at('circle'))
  execFileSync('mkfifo', [at('pipe')])
  writeFileSync(at('large'), '')
  truncateSync(at('large'), 11)
  for (const name of ['file', 'link']) assert.is(`${readWhole(at(name))}`, 'text', name)
  for (const name of ['none', 'file/none', 'circle', 'pipe', '.'])
    assert.is(readWhole(at(name)), undefined, name)
  assert.is(readWhole('/dev/zero'), undefined)
  assert.is(readWhole(at('large'), 10), undefined)
  assert.is(readWhole(at('large'), 11)!.length, 11)
})

test.run()
