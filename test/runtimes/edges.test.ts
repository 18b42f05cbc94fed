import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import {
  allowing,
  configure,
  firstIn,
  replacesWhenHashed,
  testServers,
  type ServerCase,
} from '../support/server-cases.ts'
import { addonFile, type Program } from '../support/server-program.ts'

// What is on the way to a file: addons, links, what is loaded before, and packages that are left alone.

const addon = readFileSync(addonFile())
const loadAddon = `await attempt(() => typeof require('./addon.node').parse)`
const lenient = (program: Program) =>
  configure(program, {
    keys: [program.pem],
    name: 'shop',
    root: 'app',
    nodeModules: 'unverified',
  })

/** Names that a system gives to folders of addons' copies. */
const copiesIn = (folder: string) =>
  readdirSync(folder).filter((name) => name.startsWith('signedimp-'))

const copies = scratchFolder()

const fromElsewhere = `import { rmSync, symlinkSync } from 'node:fs'
const [other, link] = process.argv.slice(2)
rmSync(link)
symlinkSync(other, link)
await attempt(async () => (await import('./late.mjs')).default)
await attempt(async () => (await import(link + '/late.mjs')).default)`

/** Has a program of {@link fromElsewhere} start by a link to its root. */
async function leadElsewhere(program: Program) {
  const [link, other] = [join(program.folder, '../current'), scratchFolder()]
  await writeFiles(other, { 'late.mjs': `export default 'EVIL'` })
  symlinkSync(program.folder, link)
  const config = { keys: [program.pem], name: 'shop', root: 'current' }
  return { ...configure(program, config), args: [other, link], entry: '../current/main.mjs' }
}

/** Puts a link to another signed file in the place of the program. */
function linkToOther({ folder }: Program): void {
  rmSync(join(folder, 'main.mjs'))
  symlinkSync('other.mjs', join(folder, 'main.mjs'))
}

const cases: Record<string, ServerCase> = {
  'what a worker says that it was made by makes others': {
    only: /node|bun/,
    files: {
      'child.mjs': `import { parentPort } from 'node:worker_threads'\nparentPort.postMessage('signed')\n`,
    },
    main: `import { Worker } from 'node:worker_threads'
const url = new URL('child.mjs', import.meta.url)
const answer = (worker) => new Promise((settle, fail) => worker.once('message', settle).once('error', fail))
const first = new Worker(url)
await attempt(() => answer(first))
await attempt(() => answer(new first.constructor(url)))`,
    prints: 'signed\nsigned\n',
  },
  'an addon that is replaced after it was checked is opened as it was': {
    // Node 20 checks it twice, and refuses it then.
    only: /node (22|24|26)/,
    files: { 'addon.node': addon },
    main: loadAddon,
    tamper(program) {
      const text = replacesWhenHashed(program, ['addon.node'], `'no addon'`)
      return allowing(program, firstIn(program.folder, text))
    },
    prints: 'function\n',
  },
  'an addon, where a file cannot be without a name': {
    only: /node (22|24|26)/,
    files: { 'addon.node': addon },
    main: loadAddon,
    tamper(program) {
      const text = `Object.defineProperty(process, 'platform', { value: 'freebsd' })
${replacesWhenHashed(program, ['addon.node'], `'no addon'`)}`
      const options = allowing(program, firstIn(program.folder, text))
      return { ...options, env: { ...options.env, TMPDIR: copies } }
    },
    prints: 'function\n',
  },
  'an addon is opened where it was looked for': {
    only: /node/,
    main: `process.chdir(new URL('.', import.meta.url).pathname)
process.cwd = () => '/node_modules/none'
await attempt(() => process.dlopen({ exports: {} }, './planted.node'))`,
    tamper(program) {
      writeFileSync(join(program.folder, 'planted.node'), 'no addon')
      return lenient(program)
    },
    prints:
      'Error: /node_modules/none/planted.node: cannot open shared object file: No such file or directory\n',
  },
  'an addon that is imported': {
    only: /node/,
    files: { 'addon.node': addon },
    main: `await attempt(() => import('./addon.node'))`,
    prints: 'ERR_SIGNEDIMP_NOT_ENFORCEABLE\n',
  },
  'a module that is required, and imports another': {
    only: /node 20/,
    files: { 'one.mjs': `import './two.mjs'`, 'two.mjs': '1' },
    main: `await attempt(() => require('./one.mjs'))`,
    prints: 'ERR_SIGNEDIMP_NOT_ENFORCEABLE\n',
  },
  'what is allowed has loaded something else': {
    only: /node/,
    main: '1',
    tamper(program) {
      writeFileSync(join(program.folder, '../second.cjs'), '1')
      return allowing(program, firstIn(program.folder, `require('./second.cjs')`))
    },
    prints: 'ERR_SIGNEDIMP_UNLISTED',
  },
  'what is allowed, named behind a sign of equality': {
    only: /node/,
    main: `console.log('started')`,
    tamper(program) {
      const first = firstIn(program.folder)
      const { env } = allowing(program, first)
      return { env: { ...env, NODE_OPTIONS: `--require=${first}` } }
    },
    prints: 'started\n',
  },
  'a file of flags': {
    only: /node (24|26)/,
    main: '1',
    tamper({ folder }) {
      const file = join(folder, '../node.json')
      writeFileSync(file, '{}')
      return { flags: [`--experimental-config-file=${file}`] }
    },
    prints: 'ERR_SIGNEDIMP_UNLISTED',
  },
  'a link to another signed file stands in the place of the program': {
    only: /node|deno/,
    files: { 'other.mjs': `console.log('EVIL')` },
    main: '1',
    tamper: linkToOther,
    prints: 'ERR_SIGNEDIMP_UNLISTED',
  },
  'a link to another signed file stands in the place of the program, in Bun': {
    only: /bun/,
    files: { 'other.mjs': `console.log('the other one')` },
    main: '1',
    tamper: linkToOther,
    prints: 'the other one\n',
  },
  'a link from outside of the root leads to a signed file': {
    only: /node|deno/,
    files: { 'other.mjs': `console.log('EVIL')` },
    main: '1',
    tamper({ folder }) {
      symlinkSync(join(folder, 'other.mjs'), join(folder, '../start.mjs'))
      return { entry: '../start.mjs', env: { SIGNEDIMP_ROOT: folder } }
    },
    prints: 'ERR_SIGNEDIMP_UNLISTED',
  },
  'a link to the root leads elsewhere, while the program runs': {
    only: /node|bun/,
    files: { 'late.mjs': `export default 'signed'` },
    main: fromElsewhere,
    tamper: leadElsewhere,
    prints: 'signed\nERR_SIGNEDIMP_UNLISTED\n',
  },
  // Deno knows the program by the link.
  'a link to the root leads elsewhere, and nothing more is loaded': {
    only: /deno/,
    files: { 'late.mjs': `export default 'signed'` },
    main: fromElsewhere,
    tamper: leadElsewhere,
    prints: 'ERR_SIGNEDIMP_UNLISTED\nERR_SIGNEDIMP_UNLISTED\n',
  },
  // What has no extension, Bun does not ask about.
  'a link to another signed file, where Bun does not ask': {
    only: /bun/,
    files: { 'a.mjs': `export default 'a'`, 'b.mjs': `export default 'b'` },
    main: `await attempt(async () => (await import('./a')).default)
await attempt(async () => (await import('./a.mjs')).default)`,
    tamper({ folder }) {
      rmSync(join(folder, 'a.mjs'))
      symlinkSync('b.mjs', join(folder, 'a.mjs'))
    },
    prints: 'b\nERR_SIGNEDIMP_CHANGED\n',
  },
  'packages of a root are checked, where others are left alone': {
    only: /node|bun/,
    files: {
      'node_modules/pack/package.json': '{"name":"pack","main":"index.js"}',
      'node_modules/pack/index.js': `module.exports = 'signed'`,
    },
    main: `await attempt(() => require('pack'))
await attempt(async () => (await import('pack')).default)
await attempt(() => require('beside'))`,
    async tamper(program) {
      await writeFiles(join(program.folder, '..'), {
        'app/node_modules/pack/index.js': `module.exports = 'EVIL'`,
        'node_modules/beside/index.js': `module.exports = 'as it is'`,
      })
      return lenient(program)
    },
    prints: 'ERR_SIGNEDIMP_CHANGED\nERR_SIGNEDIMP_CHANGED\nas it is\n',
  },
}

testServers(test, cases)

test('copies of addons are gone with the program', () => {
  assert.ok(existsSync(copies))
  assert.equal(copiesIn(copies), [])
})

test.run()
