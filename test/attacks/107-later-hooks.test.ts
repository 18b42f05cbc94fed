import * as assert from 'uvu/assert'
import { attacks } from '../support/attack.ts'
import { attackServers } from '../support/server-attack.ts'

// Code that runs wants to load what nobody signed: by hooks that are asked before ours, or past all hooks.

const say = `(error) => console.log(codeOf(error))`
const attempts = (...works: string[]) =>
  works.map((work) => `try { ${work} } catch (error) { console.log(codeOf(error)) }`).join('\n') +
  '\nprocess.exit(0)\n'
const source = `'console.log("EVIL")'`
const hook = `{ load: (url, context, next) => url.endsWith('good.mjs') ? { format: 'module', source: ${source}, shortCircuit: true } : next(url, context) }`
// Bun takes a text with a dot for the name of a file.
const url = `'data:text/javascript,' + encodeURIComponent('globalThis["console"]["log"]("EVIL")')`

attackServers(107, 'later hooks, and ways past hooks', {
  registerHooks: {
    runtimes: /node (22|24|26)|deno/,
    main: attempts(`require('node:module').registerHooks(${hook}); await import('./good.mjs')`),
  },
  'registerHooks, imported': {
    runtimes: /node (22|24|26)|deno/,
    main: attempts(
      `const { registerHooks } = await import('node:module'); registerHooks(${hook}); await import('./good.mjs')`,
    ),
  },
  'register, imported': {
    runtimes: /deno/,
    isReal: false,
    main: attempts(`(await import('node:module')).register(${url})`),
  },
  register: {
    runtimes: /node/,
    main: attempts(
      `require('node:module').register('data:text/javascript,' + encodeURIComponent(\`export const load = (url, context, next) => url.endsWith('good.mjs') ? { format: 'module', source: 'console.log("EVIL")', shortCircuit: true } : next(url, context)\`)); await import('./good.mjs')`,
    ),
  },
  'plugins are cleared': {
    runtimes: /bun/,
    main: attempts(`Bun.plugin.clearAll(); await import('./evil.mjs')`),
  },
  'a later plugin': {
    runtimes: /bun/,
    main: attempts(
      `Bun.plugin({ name: 'late', setup: (build) => build.onLoad({ filter: /good/ }, () => ({ contents: ${source}, loader: 'js' })) }); await import('./good.mjs')`,
    ),
    judge({ stdout, stderr }) {
      assert.is(stdout + stderr, '')
      return 'ok the signed bytes ran'
    },
  },
  'data:': { main: attempts(`await import(${url})`) },
  'blob:': {
    runtimes: /bun|deno/,
    main: attempts(
      `await import(URL.createObjectURL(new Blob([${source}], { type: 'text/javascript' })))`,
    ),
  },
  'http:': {
    runtimes: /deno/,
    main: attempts(`const { createServer } = require('node:http')
const server = createServer((_, answer) => answer.setHeader('content-type', 'text/javascript').end(${source}))
await new Promise((settle) => server.listen(0, '127.0.0.1', settle))
await import('http://127.0.0.1:' + server.address().port + '/evil.js')`),
  },
  'a realm': {
    runtimes: /bun/,
    main: attempts(
      `await new ShadowRealm().importValue(new URL('evil.mjs', import.meta.url).href, 'word')`,
      `new ShadowRealm().evaluate('import(' + JSON.stringify(new URL('evil.mjs', import.meta.url).href) + '); 1')
await new Promise((settle) => setTimeout(settle, 300))`,
    ),
  },
  'import() in a text': {
    main: attempts(
      `await (0, eval)('(url) => import(url)')(new URL('evil.mjs', import.meta.url).href)`,
      `await new Function('url', 'return import(url)')(new URL('evil.mjs', import.meta.url).href)`,
    ),
  },
  'import() in a script of vm': {
    runtimes: /node|bun/,
    main: attempts(`const vm = require('node:vm')
const importModuleDynamically = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER
await vm.runInThisContext('(url) => import(url)', { importModuleDynamically })(new URL('evil.mjs', import.meta.url).href)`),
  },
  'a worker of text': {
    runtimes: /node|bun/,
    main: `const { Worker } = require('node:worker_threads')
try { new Worker(${source}, { eval: true }).on('error', ${say}) } catch (error) { console.log(codeOf(error)) }`,
  },
  'a worker of a URL': {
    main: `const { Worker } = require('node:worker_threads')
try { new Worker(new URL(${url})).on('error', ${say}) } catch (error) { console.log(codeOf(error)) }`,
  },
  'a global worker of a URL': {
    runtimes: /bun|deno/,
    main: attempts(`const worker = new Worker(${url}, { type: 'module' })
await new Promise((settle) => setTimeout(settle, 500))`),
  },
  'the inner loader': {
    main: attempts(
      `require('node:module')._load(new URL('evil.cjs', import.meta.url).pathname, null, false)`,
      `const M = require('node:module'); new M('x').load(new URL('evil.cjs', import.meta.url).pathname)`,
      `const M = require('node:module'), file = new URL('evil.cjs', import.meta.url).pathname; M._extensions['.js'](new M(file), file)`,
    ),
  },
  'the inner loader, by names that have moved': {
    runtimes: /node/,
    main: attempts(
      `const M = require('node:module'); M._findPath = M._resolveFilename = () => new URL('evil.cjs', import.meta.url).pathname; require('./evil.cjs')`,
      `require('node:module')._preloadModules([new URL('evil.cjs', import.meta.url).pathname])`,
      `process.env.NODE_PATH = new URL('.', import.meta.url).pathname; require('node:module')._initPaths(); require('evil')`,
    ),
  },
  'a query': {
    main: attempts(`await import('./evil.mjs?good.mjs')`, `await import('./evil.mjs#good.mjs')`),
  },
  'an escaped name': { main: attempts(`await import('./%65vil.mjs')`), runtimes: /node|deno/ },
  'an import with another type': {
    main: attempts(
      `console.log((await import('./evil.json', { with: { type: 'json' } })).default.word)`,
    ),
  },
  'an addon': {
    isReal: false,
    main: attempts(
      `process.dlopen({ exports: {} }, new URL('evil.cjs', import.meta.url).pathname)`,
    ),
  },
})

attacks.run()
