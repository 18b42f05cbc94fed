import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scratchFolder } from '../support/processes.ts'
import { writeFiles } from '../support/fixture.ts'
import {
  allowing,
  configure,
  firstIn,
  replacesWhenHashed,
  testServers,
  type ServerCase,
} from '../support/server-cases.ts'
import { sign, signProgram, type Program, type RunOptions } from '../support/server-program.ts'

// What a program is told by its environment and by `register`, and what each server does that is not about one file.

const cases: Record<string, ServerCase> = {
  'what is changed after it was checked does not run': {
    only: /node/,
    files: { 'late.cjs': `module.exports = 'signed'` },
    main: `await attempt(() => require('./late.cjs'))
await attempt(() => { delete require.cache[require.resolve('./late.cjs')]; return require('./late.cjs') })`,
    tamper: changesWhenHashed,
    prints: 'signed\nERR_SIGNEDIMP_CHANGED\n',
  },
  'a module that is changed after it was checked does not run': {
    only: /node (22|24|26)/,
    files: { 'late.mjs': `export default 'signed'` },
    main: `await attempt(async () => (await import('./late.mjs')).default)
await attempt(async () => (await import('./late.mjs?again')).default)`,
    tamper: changesWhenHashed,
    prints: 'signed\nERR_SIGNEDIMP_CHANGED\n',
  },
  'a listed file that is gone': {
    files: { 'gone.mjs': '1' },
    main: `await attempt(() => import('./gone.mjs'))`,
    tamper: ({ folder }) => rmSync(join(folder, 'gone.mjs')),
    prints: 'ERR_SIGNEDIMP_MISSING\n',
  },
  'a link from one signed file to another': {
    files: {
      'a.mjs': `export default 'a'`,
      'b.mjs': `export default 'b'`,
      'a.cjs': `module.exports = 'a'`,
      'b.cjs': '',
    },
    main: `await attempt(async () => (await import('./a.mjs')).default)
await attempt(() => require('./a.cjs'))`,
    tamper({ folder }) {
      for (const extension of ['mjs', 'cjs']) {
        rmSync(join(folder, `a.${extension}`))
        symlinkSync(`b.${extension}`, join(folder, `a.${extension}`))
      }
    },
    prints: 'ERR_SIGNEDIMP_CHANGED\nERR_SIGNEDIMP_CHANGED\n',
  },
  'a root that is reached through a link': {
    files: { 'part.mjs': `export default import.meta.url.includes('current')` },
    main: `await attempt(async () => (await import('./part.mjs')).default)`,
    tamper(program) {
      const current = join(program.folder, '..', 'current')
      symlinkSync(program.folder, current)
      return { entry: '../current/main.mjs' }
    },
    prints: 'false\n',
  },
  'names of Node, and of nothing else outside': {
    main: `await attempt(async () => typeof (await import('fs')).readFileSync)
await attempt(() => typeof require('node:path').join)
await attempt(() => import('pack'))
await attempt(() => require('pack'))`,
    tamper: ({ folder }) =>
      writeFiles(join(folder, '..'), {
        'node_modules/pack/package.json': '{"main":"index.js"}',
        'node_modules/pack/index.js': 'module.exports = 1',
      }),
    prints: `function\nfunction\n${'ERR_SIGNEDIMP_UNLISTED\n'.repeat(2)}`,
  },
  'another name than was asked for': {
    main: '1',
    tamper: () => ({ env: { SIGNEDIMP_NAME: 'other' } }),
    prints: 'ERR_SIGNEDIMP_NAME',
  },
  'a key that nobody signed with': {
    main: '1',
    async tamper({ folder }) {
      const other = await signProgram({ 'a.js': '1' })
      assert.not.equal(other.folder, folder)
      return { env: { SIGNEDIMP_KEY: other.keyFile } }
    },
    prints: 'ERR_SIGNEDIMP_SIGNATURE',
  },
  'a key in base64': {
    main: `console.log('started')`,
    tamper: ({ pem }) => ({ env: { SIGNEDIMP_KEY: pem.replace(/-----.*-----|\n/g, '') } }),
    prints: 'started\n',
  },
  'a key that lies in the root': {
    main: '1',
    tamper({ folder, pem }) {
      writeFileSync(join(folder, 'own.pub'), pem)
      return { env: { SIGNEDIMP_KEY: join(folder, 'own.pub') } }
    },
    prints: 'ERR_SIGNEDIMP_KEY',
  },
  'no manifest': {
    main: '1',
    tamper: ({ folder }) => ({
      ...(rmSync(join(folder, 'signedimp-manifest.txt')), {}),
      env: { SIGNEDIMP_ROOT: folder },
    }),
    prints: 'ERR_SIGNEDIMP_MISSING',
  },
  'a configuration, with two roots': {
    main: `await attempt(async () => (await import('../second/part.mjs')).default)`,
    async tamper(program) {
      const second = await sign(
        await write(program, 'second', { 'part.mjs': `export default 'two'` }),
      )
      return configure(program, {
        roots: [
          { base: 'app', name: 'shop', keys: ['app.pub'] },
          { base: 'second', name: 'shop', keys: [second.pem] },
        ],
      })
    },
    prints: 'two\n',
  },
  'the key of one root does not vouch for another': {
    main: '1',
    async tamper(program) {
      await sign(await write(program, 'second', { 'part.mjs': `export default 'two'` }))
      return configure(program, {
        keys: [program.pem],
        name: 'shop',
        roots: [{ base: 'app' }, { base: 'second' }],
      })
    },
    prints: 'ERR_SIGNEDIMP_SIGNATURE',
  },
  'a configuration that lies in the root': {
    main: '1',
    tamper: (program) =>
      configure(program, { keys: [program.pem], name: 'shop', root: '.' }, join('app', 'own.json')),
    prints: 'ERR_SIGNEDIMP_KEY',
  },
  'node_modules, where somebody chose to leave them alone': {
    only: /node|bun/,
    main: `await attempt(async () => (await import('pack')).default)
await attempt(() => require('pack'))
await attempt(() => import('../beside.mjs'))
await attempt(() => import('./node_modules/own/index.mjs'))`,
    async tamper(program) {
      await writeFiles(join(program.folder, '..'), {
        'node_modules/pack/package.json': '{"main":"index.js"}',
        'node_modules/pack/index.js': `module.exports = require('./part.js')`,
        'node_modules/pack/part.js': `module.exports = 'as it is'`,
        'beside.mjs': '1',
        'app/node_modules/own/index.mjs': '1',
      })
      return configure(program, {
        keys: [program.pem],
        name: 'shop',
        root: 'app',
        nodeModules: 'unverified',
      })
    },
    prints: `as it is\nas it is\n${'ERR_SIGNEDIMP_UNLISTED\n'.repeat(2)}`,
  },
  'a module that was loaded first': {
    main: '1',
    only: /node/,
    tamper: ({ folder }) => ({ flags: ['--require', firstIn(folder)] }),
    prints: 'ERR_SIGNEDIMP_UNLISTED',
  },
  'a module that NODE_OPTIONS loads first': {
    main: '1',
    only: /node/,
    tamper: ({ folder }) => ({ env: { NODE_OPTIONS: `--import "${firstIn(folder)}"` } }),
    prints: 'ERR_SIGNEDIMP_UNLISTED',
  },
  'a module that is allowed to be loaded first': {
    main: `console.log('started')`,
    only: /node/,
    tamper: (program) => allowing(program, firstIn(program.folder)),
    prints: 'started\n',
  },
}

/** Whatever file says "signed" says something else as soon as it was hashed. */
function changesWhenHashed(program: Program): RunOptions {
  const names = ['late.mjs', 'late.cjs']
  const text = replacesWhenHashed(program, names, `String(bytes).replace('signed', 'EVIL!!')`)
  return allowing(program, firstIn(program.folder, text))
}

/** A program's neighbour. */
async function write(program: Program, name: string, files: Record<string, string>) {
  const folder = join(scratchFolder(), name)
  await writeFiles(folder, files)
  const place = join(program.folder, '..', name)
  renameSync(folder, place)
  return place
}

testServers(test, cases)

test.run()
