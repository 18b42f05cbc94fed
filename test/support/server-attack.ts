import * as assert from 'uvu/assert'
import { attack, attacks } from './attack.ts'
import { writeFiles } from './fixture.ts'
import type { Runtime } from './runtimes.ts'
import { runProgram, servers, signProgram, type Run, type RunOptions } from './server-program.ts'
import { skip } from './skip.ts'

/** What an attacker puts beside a signed program. It says so, if it is evaluated. */
const planted = {
  'evil.mjs': `console.log('EVIL')\nexport const word = 'evil'\n`,
  'evil.cjs': `console.log('EVIL')\nexports.word = 'evil'\n`,
  'evil.json': `{"word":"EVIL"}\n`,
}

/** What is signed beside an attack's `main.mjs`. */
const honest = {
  'good.mjs': `export const word = 'good'\n`,
  'good.cjs': `exports.word = 'good'\n`,
}

/** An attack on a program. */
export interface ServerAttack {
  /** The program's `main.mjs`: code that runs. `codeOf(error)` is there, and `require`. */
  main: string
  files?: Record<string, string>
  /** Planted after the program was signed, beside those that always are. */
  plant?: Record<string, string>
  /** The end of the name of runtimes that it concerns. @default all */
  runtimes?: RegExp
  options?: RunOptions
  /** Whether it succeeds without hooks: then it is tried so, too. @default true */
  isReal?: boolean
  /** Looks at the run, beside that nothing evil ran. @returns the outcome */
  judge?: (run: Run, runtime: Runtime) => string
}

const prelude = `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
const codeOf = (error) => /ERR_SIGNEDIMP_\\w+/.exec(error?.code + ' ' + error?.message)?.[0] ?? String(error)
`

/** Registers an attack of attacks.md by its number, a variant a way and a runtime. */
export function attackServers(
  number: number,
  title: string,
  ways: Record<string, ServerAttack>,
): void {
  for (const runtime of servers)
    for (const [way, one] of Object.entries(ways)) {
      if (one.runtimes && !one.runtimes.test(runtime.name)) continue
      const variant = `${way}, ${runtime.name}`
      if (runtime.missing) skip(attacks, `${number} ${title} (${variant})`, runtime.missing)
      else attack(number, title, { variants: [variant] }, () => attempt(runtime, one))
    }
}

async function attempt(runtime: Runtime, one: ServerAttack): Promise<string> {
  const { main, files = {}, plant = {}, options = {}, isReal = true } = one
  const program = await signProgram({ ...honest, ...files, 'main.mjs': prelude + main })
  await writeFiles(program.folder, { ...planted, ...plant })
  if (isReal) {
    const plain = runProgram(runtime, program, { ...options, isPlain: true })
    assert.match(plain.stdout, 'EVIL', `without hooks: ${plain.stderr}`)
  }
  const run = runProgram(runtime, program, options)
  assert.not.match(run.stdout, 'EVIL', run.stderr)
  if (one.judge) return one.judge(run, runtime)
  const code = /ERR_SIGNEDIMP_\w+/.exec(run.stdout + run.stderr)?.[0]
  assert.ok(code, `no refusal: ${run.stdout}${run.stderr}`)
  return `refused ${code}`
}
