import * as assert from 'uvu/assert'
import { attacks } from '../support/attack.ts'
import { attackServers } from '../support/server-attack.ts'

// All objects get properties by which a hook's answer, a file's listing or a child's options could become another.

const pollute = `const found = { word: undefined }
const evil = 'console.log("EVIL")'
for (const [name, value] of Object.entries({
  source: evil, contents: evil, format: 'module', shortCircuit: true, loader: 'js', url: 'data:text/javascript,' + evil,
  integrity: '', hash: '', type: 'module', main: './evil.cjs', nodeModules: 'unverified', allow: ['/'], eval: true, 'evil.mjs': '', namespace: 'evil', exports: {}, policy: { nodeModules: 'unverified' },
  encoding: 'latin1', flag: 'w', outputLength: 1, 1: './evil.mjs',
}))
  Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true })
`

attackServers(54, 'a polluted Object.prototype, on servers', {
  'what is not listed': {
    main: `${pollute}await import('./evil.mjs').catch((error) => console.log(codeOf(error)))
try { require('./evil.cjs') } catch (error) { console.log(codeOf(error)) }
process.exit(0)`,
  },
  'what is listed': {
    isReal: false,
    main: `${pollute}const { word } = await import('./good.mjs')
console.log(word, require('./good.cjs').word)
process.exit(0)`,
    judge({ stdout, stderr }) {
      assert.is(stdout, 'good good\n', stderr)
      return 'ok the signed bytes ran'
    },
  },
})

attacks.run()
