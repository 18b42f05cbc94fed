import * as assert from 'uvu/assert'
import { attacks } from '../support/attack.ts'
import { attackServers } from '../support/server-attack.ts'

// A package.json that nobody signed says that a signed file is of the other kind, or that a name means another file.

const both = `const kind = typeof module === 'object' ? 'commonjs' : 'module'
console.log(kind)
`
const isStill =
  (kind: string) =>
  ({ stdout, stderr }: { stdout: string; stderr: string }) => {
    assert.is(stdout, `${kind}\n`, stderr)
    return `ok still ${kind}`
  }
const load = `await import('./both.js')`
const other = (type: string) => ({ 'package.json': `{"type":"${type}"}` })

attackServers(108, 'an unsigned package.json', {
  'a signed file becomes a module': {
    runtimes: /node|bun/,
    isReal: false,
    files: { 'both.js': both },
    plant: other('module'),
    main: load,
    judge: isStill('commonjs'),
  },
  'a signed file becomes CommonJS': {
    isReal: false,
    files: { 'lib/package.json': '{"type":"module"}', 'lib/part/both.js': both },
    plant: { 'lib/part/package.json': '{"type":"commonjs"}' },
    main: `await import('./lib/part/both.js')`,
    judge: isStill('module'),
  },
  'a folder gets another main file': {
    files: { 'folder/index.js': `console.log('good')` },
    plant: {
      'folder/package.json': '{"main":"./evil.cjs"}',
      'folder/evil.cjs': `console.log('EVIL')`,
    },
    main: `require('./folder')`,
    judge: isStill('good'),
  },
  'a package gets another main file': {
    files: {
      'node_modules/pack/index.js': `console.log('good')`,
      'node_modules/pack/other.js': `console.log('EVIL')`,
    },
    plant: { 'node_modules/pack/package.json': '{"main":"./other.js"}' },
    main: `try { require('pack') } catch (error) { console.log(codeOf(error)) }`,
  },
  'a package gets another main file, for import': {
    runtimes: /node|bun/,
    files: {
      'node_modules/pack/index.js': `console.log('good')`,
      'node_modules/pack/other.js': `console.log('EVIL')`,
    },
    plant: { 'node_modules/pack/package.json': '{"main":"./other.js"}' },
    main: `await import('pack').catch((error) => console.log(codeOf(error)))`,
  },
  'a signed package.json is changed': {
    files: {
      'node_modules/pack/package.json': '{"main":"./index.js"}',
      'node_modules/pack/index.js': `console.log('good')`,
      'node_modules/pack/other.js': `console.log('EVIL')`,
    },
    plant: { 'node_modules/pack/package.json': '{"main":"./other.js"}' },
    main: `try { require('pack') } catch (error) { console.log(codeOf(error)) }`,
  },
})

attacks.run()
