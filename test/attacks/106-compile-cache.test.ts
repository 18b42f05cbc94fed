import { readdirSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { attacks } from '../support/attack.ts'
import { scratchFolder } from '../support/processes.ts'
import { attackServers } from '../support/server-attack.ts'
import { runProgram, servers, signProgram } from '../support/server-program.ts'
import { skip } from '../support/skip.ts'

// A poisoned cache of compiled code runs for source that was checked: hooks see the source and never the cache.

const newer = /node (22|24|26)/
const folder = scratchFolder()

attackServers(106, 'compile cache', {
  'by the environment': {
    runtimes: newer,
    isReal: false,
    main: `console.log('started')`,
    options: { env: { NODE_COMPILE_CACHE: folder } },
    judge({ status, stdout, stderr }) {
      assert.is(status, 1)
      assert.is(stdout, '')
      assert.match(stderr, /^signedimp: ERR_SIGNEDIMP_NOT_ENFORCEABLE .*NODE_COMPILE_CACHE\n$/)
      return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
    },
  },
  'by the program': {
    runtimes: newer,
    isReal: false,
    main: `const { enableCompileCache } = await import('node:module')
for (const enable of [enableCompileCache, require('node:module').enableCompileCache])
  try { enable(${JSON.stringify(folder)}); console.log('EVIL') } catch (error) { console.log(codeOf(error)) }`,
  },
})

// What is refused is what fills the cache otherwise.
for (const runtime of servers.filter(({ name }) => newer.test(name)))
  if (runtime.missing) skip(attacks, `106 ${runtime.name} fills the cache`, runtime.missing)
  else
    attacks(`106 ${runtime.name} fills the cache without hooks`, async () => {
      const cache = scratchFolder()
      const program = await signProgram({ 'main.mjs': 'console.log(1)' })
      runProgram(runtime, program, { isPlain: true, env: { NODE_COMPILE_CACHE: cache } })
      assert.ok(readdirSync(cache, { recursive: true }).length > 1)
    })

attacks.run()
