import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Release } from '../../src/emit/release.ts'
import type { Output, OutputFile } from '../../src/emit/output.ts'
import { emitProgram } from '../../src/emit/program.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { throwsCode } from '../support/throws.ts'

// What becomes of an output that is a program, without a bundler and without a runtime.

const trusted = toTrustedKey(await generateKey('ed25519'))
const release = {
  keys: [trusted],
  threshold: 1,
  name: 'program',
  build: 7,
  hash: 'sha256',
  manifestName: 'signedimp-manifest.txt',
  unverified: [],
  program: {
    module: 'const m=await f(__SIGNEDIMP_PROGRAM__);export{m as __signedimpMain};',
    commonjs: 'f(__SIGNEDIMP_PROGRAM__);module.exports=require(__SIGNEDIMP_MAIN__)',
  },
} as unknown as Release

const module = { isModule: true, isEntry: false }
const script = { isModule: false, isEntry: false, format: 'cjs' }
const asset = { isModule: false, isEntry: false }

const toOutput = (files: Record<string, Omit<OutputFile, 'path'>>): Output =>
  new Map(Object.entries(files).map(([path, file]) => [path, { path, ...file }]))

const sourceIn = (output: Output, path: string) => String(output.get(path)!.source)

test('the bootstrap says what it is, and hands on what the main chunk exports', async () => {
  const code = 'const a=1;export{a as default,a as "odd name",a}'
  const output = toOutput({ 'bin/run.js': { ...module, isEntry: true, source: code } })
  const { entries, digests, checked } = await emitProgram(output, release)
  assert.is(sourceIn(output, 'bin/ru_.js'), code)
  assert.equal([...digests.keys()].sort(), ['bin/ru_.js', 'bin/run.js'])
  assert.equal([...checked].sort(), ['bin/ru_.js', 'bin/run.js'])
  assert.is(entries[0]!.path, 'bin/run.js')
  const text = sourceIn(output, 'bin/run.js')
  assert.match(text, '{path:"bin/run.js",main:"bin/ru_.js",keys:[')
  assert.match(
    text,
    'threshold:1,name:"program",build:7,manifest:"signedimp-manifest.txt",format:"module"',
  )
  assert.match(
    text,
    'const{default:$0,"odd name":$1,a:$2}=m;export{$0 as default,$1 as "odd name",$2 as a}',
  )
})

test('chunks load the main chunks of entries, whose spelling is as long', async () => {
  const output = toOutput({
    'server.js': { ...module, isEntry: true, source: 'export const a=1;import("./x/lazy.js")' },
    'x/lazy.js': {
      ...module,
      source: `import{a}from"../server.js";import "./other.js";export * from '../server.js';import("../server.js")`,
    },
    'x/other.js': { ...module, source: 'const text = "../server.js"' },
  })
  await emitProgram(output, release)
  assert.is(
    sourceIn(output, 'x/lazy.js'),
    `import{a}from"../serve_.js";import "./other.js";export * from '../serve_.js';import("../serve_.js")`,
  )
  assert.is(sourceIn(output, 'x/other.js'), 'const text = "../server.js"')
})

test('scripts that load an entry load its main chunk', async () => {
  const output = toOutput({
    'server.cjs': { ...script, isEntry: true, source: 'exports.a=1', loads: ['x/lazy.cjs'] },
    'x/lazy.cjs': {
      ...script,
      source: `require('../server.cjs');require("../server.cjs")`,
      loads: ['server.cjs', 'node:fs'],
    },
  })
  await emitProgram(output, release)
  assert.is(sourceIn(output, 'x/lazy.cjs'), `require('../serve_.cjs');require("../serve_.cjs")`)
  assert.match(sourceIn(output, 'server.cjs'), 'module.exports=require("./serve_.cjs")')
  assert.match(sourceIn(output, 'server.cjs'), 'format:"commonjs"')
})

const entry = { ...module, isEntry: true, source: 'export const a=1' }

for (const [what, files, unverified, code, texts] of [
  [
    'WebAssembly that nobody named',
    { 'server.js': entry, 'a.wasm': { ...asset, source: 'wasm' } },
    [],
    'ERR_SIGNEDIMP_NOT_COVERED',
    ["unverified: ['a.wasm']"],
  ],
  [
    'a package that nobody named',
    { 'server.js': { ...entry, source: 'import "a/b"; import "@s/c"; import("d")' } },
    ['a/b'],
    'ERR_SIGNEDIMP_NOT_COVERED',
    ["unverified: ['@s/c', 'd']"],
  ],
  [
    'data: and https: imports',
    {
      'server.js': { ...entry, source: 'import "data:text/javascript,1"; import "https://x/y.js"' },
    },
    [],
    'ERR_SIGNEDIMP_NOT_COVERED',
    ['data:text/javascript,1: imported by server.js', 'https://x/y.js: imported by server.js'],
  ],
  [
    'a file that is not there',
    { 'server.js': { ...entry, source: 'import "./config.js"' } },
    [],
    'ERR_SIGNEDIMP_OUTPUT',
    ['"./config.js", which is no file of this build'],
  ],
  ['no entry', { 'chunk.js': { ...module, source: '' } }, [], 'ERR_SIGNEDIMP_OUTPUT', ['no entry']],
  [
    'another format',
    { 'server.js': { ...script, format: 'iife', isEntry: true, source: '' } },
    [],
    'ERR_SIGNEDIMP_OUTPUT',
    ['is of format "iife"', 'set output.format to "es" or "cjs"'],
  ],
  [
    'exports that nobody knows',
    { 'server.js': { ...entry, source: 'export * from "node:fs"' } },
    [],
    'ERR_SIGNEDIMP_OUTPUT',
    ['by names that are not known here'],
  ],
  [
    'an export called "then"',
    { 'server.js': { ...entry, source: 'export const then = 1' } },
    [],
    'ERR_SIGNEDIMP_OUTPUT',
    ['exports "then"'],
  ],
] as [string, Parameters<typeof toOutput>[0], string[], string, string[]][])
  test(`refused: ${what}`, async () => {
    const { message } = await throwsCode(
      () => emitProgram(toOutput(files), { ...release, unverified }),
      code,
    )
    for (const text of texts) assert.match(message, text)
  })

test('what is named is accepted, and said', async () => {
  const output = toOutput({
    'server.js': { ...entry, source: 'import "express"' },
    'a.wasm': { ...asset, source: 'wasm' },
  })
  const { accepted } = await emitProgram(output, { ...release, unverified: ['express', 'a.wasm'] })
  assert.equal(
    accepted.map(({ name }) => name),
    ['express', 'a.wasm'],
  )
  assert.match(sourceIn(output, 'server.js'), 'unverified:["express"]')
})

test.run()
