import * as assert from 'uvu/assert'
import { attacks } from '../support/attack.ts'
import { attackServers } from '../support/server-attack.ts'

// Bun has a `module.register` that does nothing, and makes {} of CommonJS that its plugins give it by text.

const good = ({ stdout, stderr }: { stdout: string; stderr: string }) => {
  assert.is(stdout, 'one two\n', stderr)
  return 'ok it ran, and exports what it did'
}

attackServers(110, 'loaders that do nothing', {
  'a module that nobody signed': {
    runtimes: /bun/,
    main: `await import('./evil.mjs').catch((error) => console.log(codeOf(error)))`,
  },
  CommonJS: {
    runtimes: /bun/,
    isReal: false,
    files: {
      'one.cjs': `exports.one = 'one'\nexports.two = require('./two.cjs').two`,
      'two.cjs': `exports.two = require('./one.cjs').one && 'two'`,
    },
    main: `const { one, two } = require('./one.cjs')
const imported = await import('./one.cjs')
console.log(one, imported.two)`,
    judge: good,
  },
  'CommonJS that nobody signed': {
    runtimes: /bun/,
    main: `try { require('./evil.cjs') } catch (error) { console.log(codeOf(error)) }
await import('./evil.cjs').catch((error) => console.log(codeOf(error)))`,
  },
})

attacks.run()
