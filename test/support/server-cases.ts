import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  runProgram,
  servers,
  signProgram,
  type Program,
  type Run,
  type RunOptions,
} from './server-program.ts'
import type { Runtime } from './runtimes.ts'
import { skip } from './skip.ts'

const prelude = `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
const codeOf = (error) => /ERR_SIGNEDIMP_\\w+/.exec(error?.code + ' ' + error?.message)?.[0] ?? String(error)
const attempt = async (work) => console.log(await Promise.resolve().then(work).catch(codeOf))
`

/** A program that does one thing, and what it prints. */
export interface ServerCase {
  /** Its `main.mjs`. `attempt(work)` prints what work gives, or the code of its refusal; `require` is there. */
  main: string
  files?: Record<string, string | Uint8Array>
  /** Done to the program after it was signed. @returns what else its run needs */
  tamper?: (program: Program, runtime: Runtime) => RunOptions | void | Promise<RunOptions | void>
  /** What it prints, or the code by which it does not start. */
  prints: string
  only?: RegExp
}

/** Registers a test of each case in each runtime that it is about. */
export function testServers(test: Test, cases: Record<string, ServerCase>): void {
  for (const runtime of servers)
    for (const [title, one] of Object.entries(cases)) {
      if (one.only && !one.only.test(runtime.name)) continue
      if (runtime.missing) skip(test, `${runtime.name}: ${title}`, runtime.missing)
      else test(`${runtime.name}: ${title}`, () => behaves(runtime, one))
    }
}

async function behaves(
  runtime: Runtime,
  { main, files = {}, tamper, prints }: ServerCase,
): Promise<void> {
  const program = await signProgram({ ...files, 'main.mjs': `${prelude}${main}\n` })
  const run = runProgram(runtime, program, (await tamper?.(program, runtime)) ?? {})
  if (prints.startsWith('ERR_') && !prints.endsWith('\n')) refusesToStart(run, prints)
  else assert.is(run.stdout, prints, run.stderr)
}

/** One line, and no app. */
function refusesToStart({ status, stdout, stderr }: Run, code: string): void {
  assert.is(status, 1, stderr)
  assert.is(stdout, '')
  assert.match(stderr, new RegExp(`^signedimp: ${code} [^\n]*\n$`))
}

/** A file beside the program, which is loaded first. @returns its path */
export function firstIn(folder: string, text = '1'): string {
  const file = join(folder, '..', 'first.cjs')
  writeFileSync(file, text)
  return file
}

/**
 * Has what one of some files says be replaced as soon as it was hashed: that is the moment between the check and the use, where
 * one reads a file a second time.
 * @param replace an expression of `bytes`, for what is written then
 */
export const replacesWhenHashed = (
  { folder }: Program,
  names: readonly string[],
  replace: string,
): string => `const crypto = require('node:crypto'), fs = require('node:fs'), path = require('node:path')
const { hash } = crypto, folder = ${JSON.stringify(folder)}
crypto.hash = (type, bytes, encoding) => {
  const found = hash(type, bytes, encoding)
  for (const name of ${JSON.stringify(names)}) {
    const file = path.join(folder, name)
    if (fs.existsSync(file) && fs.readFileSync(file).equals(bytes)) fs.writeFileSync(file, ${replace})
  }
  return found
}
require('node:module').syncBuiltinESMExports()
`

/** A configuration that allows such a file, which is required first. */
export function allowing(program: Program, first: string): RunOptions {
  const { pem } = program
  const config = { keys: [pem], name: 'shop', root: 'app', allow: [first] }
  return { ...configure(program, config), flags: ['--require', first] }
}

/** A configuration beside the program, or wherever. */
export function configure(
  { folder }: Program,
  config: object,
  file = 'signedimp.json',
): RunOptions {
  const path = join(folder, '..', file)
  writeFileSync(path, JSON.stringify(config))
  return { env: { SIGNEDIMP_CONFIG: path } }
}
