import { attacks } from '../support/attack.ts'
import { attackServers, type ServerAttack } from '../support/server-attack.ts'

// Code that runs replaces what the hooks might use, and only then loads what nobody signed. Without hooks, that runs.

const always = (value: string) => `() => ${value}`
const patches: Record<string, string> = {
  'String.prototype': `for (const name of ['startsWith', 'endsWith', 'includes'])
  String.prototype[name] = ${always('true')}
String.prototype.slice = String.prototype.replace = function () { return 'good.mjs' }`,
  'Map.prototype': `const { get } = Map.prototype
Map.prototype.has = ${always('true')}
Map.prototype.get = function (key) { return get.call(this, key) ?? '0' }`,
  'RegExp.prototype': `RegExp.prototype.test = ${always('true')}
RegExp.prototype.exec = ${always('["good.mjs", "good.mjs"]')}`,
  'Array.prototype': `Array.prototype[Symbol.iterator] = function* () {}
Array.prototype.includes = Array.prototype.some = ${always('true')}`,
  'Function.prototype': `const { apply } = Reflect
const toGood = (found) => (typeof found === 'string' ? found.replaceAll('evil', 'good') : found)
Function.prototype.call = function (self, ...rest) { return toGood(apply(this, self, rest)) }
Function.prototype.apply = function (self, rest) { return toGood(apply(this, self, rest ?? [])) }`,
  'JSON, Object, Reflect': `JSON.parse = ${always('({ type: "module" })')}
Object.hasOwn = ${always('true')}
Object.create = ${always('({})')}
Reflect.apply = ${always('"good.mjs"')}`,
  'TextDecoder, URL': `TextDecoder.prototype.decode = ${always(`'console.log("EVIL")'`)}
globalThis.URL = class { href = new URL_('good.mjs', import.meta.url).href }`,
  'Buffer, Uint8Array': `for (const name of ['toString', 'equals', 'subarray', 'slice'])
  Buffer.prototype[name] = Uint8Array.prototype[name] = ${always("'good.mjs'")}`,
  'indices of Array.prototype': `for (const index of [2, 3])
  Object.defineProperty(Array.prototype, index, { set() {}, get: ${always("'good.mjs'")}, configurable: true })`,
  process: `process.cwd = ${always("'/node_modules/good'")}
process.getBuiltinModule = ${always('({})')}
process.execArgv = process.argv = []`,
  'node:fs, node:crypto, node:url': `const fs = require('node:fs'), crypto = require('node:crypto'), url = require('node:url')
const { readFileSync } = fs, { hash } = crypto, good = readFileSync(new URL('good.mjs', import.meta.url))
fs.readFileSync = (file, options) => readFileSync(typeof file === 'string' ? file.replace('good', 'evil') : file, options)
fs.realpathSync = (file) => file
crypto.hash = (type, bytes, encoding) => hash(type, good, encoding)
crypto.createHash = ${always('({ update: () => ({ digest: () => "" }) })')}
url.fileURLToPath = ${always('"good.mjs"')}
require('node:module').syncBuiltinESMExports?.()`,
}

/** What was there before is what says what became of it. */
const keep = `const URL_ = URL, log = console.log, exec = Function.prototype.call.bind(RegExp.prototype.exec)
const say = (error) => log(exec(/ERR_SIGNEDIMP_\\w+/, error.code + ' ' + error.message)?.[0])
`
const evil = `await import('./evil.mjs').catch(say)
try { require('./evil.cjs') } catch (error) { say(error) }
try { require('./good.cjs') } catch (error) { say(error) }
process.exit(0)
`

// What is patched may break the runtime's own loader: that nothing evil runs is all that counts, then.
const ways = Object.fromEntries(
  Object.entries(patches).map(([name, patch]): [string, ServerAttack] => [
    name,
    {
      main: `${keep}${patch}\n${evil}`,
      judge: ({ stdout, stderr }) =>
        `refused ${/ERR_\w+/.exec(stdout + stderr)?.[0] ?? 'by the runtime'}`,
    },
  ]),
)

attackServers(53, 'patched builtins, on servers', ways)

attacks.run()
