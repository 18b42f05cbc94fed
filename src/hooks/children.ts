/** Forked children: they start with the same bootstrap as this process, or not at all. */
import { refusal } from '../manifest/refusal.js'
import { childProcess } from './builtins.js'
import { apply, indexOf, pushTo, slice } from './captured.js'
import { flagsWith, includes, refuseVariable, refuseVariables, type PreloadFlag } from './flags.js'

/** What starts children. */
export interface Bootstrap {
  /** URL of the module that they load first, as the roots are now; empty where there is none. */
  preload: () => string
  /** Undefined where the runtime cannot be told, for workers or at all. */
  flag: PreloadFlag | undefined
}

type Options = Record<string, unknown>

/** What a process is started with. Bun has its variables in `env`, others in `envPairs`. */
interface Spawned {
  file: string
  args: readonly string[]
  stdio: readonly unknown[]
  env?: Record<string, string>
  envPairs?: readonly string[]
}

/** What has a method that starts processes. */
interface Starter {
  spawn(options: Spawned): number
}

/** Replaces `fork`, by which `node:cluster` starts its workers, too, and what whoever took it before starts children by. */
export function guardChildren(bootstrap: Bootstrap): void {
  guardFork(bootstrap)
  guardSpawn(bootstrap)
}

/** @param what what would start */
export const notStartable = (what: string) =>
  refusal(
    'NOT_ENFORCEABLE',
    `${what} would start without the hooks: this runtime has no way to them`,
  )

function guardFork({ preload, flag }: Bootstrap): void {
  const fork = childProcess.fork as (this: unknown, ...args: unknown[]) => never
  childProcess.fork = function (this: unknown, script: unknown, args?: unknown, more?: unknown) {
    const url = preload()
    if (url === '' || flag === undefined) throw notStartable('a forked program')
    const list = Array.isArray(args) ? args : []
    const given = (Array.isArray(args) ? more : (more ?? args)) as Options | undefined
    const options = { __proto__: null, ...given }
    const execArgv = flagsWith((options as Options).execArgv, flag, url)
    return apply(fork, this, [script, list, { ...options, execArgv }])
  } as typeof childProcess.fork
}

/** A second runtime with a channel to this one is a forked child, whoever starts it. */
function guardSpawn({ preload, flag }: Bootstrap): void {
  const { execPath } = process
  const { prototype } = childProcess.ChildProcess as unknown as { prototype: Starter }
  const { spawn } = prototype
  prototype.spawn = function (given) {
    const options = { __proto__: null, ...given } as Spawned
    const isFork = options.file === execPath && includes(options.stdio, 'ipc')
    if (!isFork) return apply(spawn, this, [given])
    const url = preload()
    if (url === '' || flag === undefined) throw notStartable('a forked program')
    refuseVariablesOf(options)
    return apply(spawn, this, [{ ...options, args: argumentsWith(options.args, flag, url) }])
  }
}

function refuseVariablesOf({ env, envPairs }: Spawned): void {
  if (!envPairs) return refuseVariables(env ?? {})
  for (let at = 0; at < envPairs.length; at++) {
    const pair = envPairs[at]!
    const end = indexOf(pair, '=', 0)
    refuseVariable(slice(pair, 0, end), slice(pair, end + 1))
  }
}

/** With our flag behind the program's own name, unless `fork` has put it there. */
function argumentsWith(args: readonly string[], flag: PreloadFlag, url: string): readonly string[] {
  if (args[1] === flag && args[2] === url) return args
  const all = [args[0]!, flag, url]
  for (let at = 1; at < args.length; at++) pushTo(all, args[at]!)
  return all
}
