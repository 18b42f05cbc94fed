/** Worker threads and forked children: hooks are a thread's own, so that each one starts with the same bootstrap, or not at all. */
import { refusal } from '../manifest/refusal.js'
import { childProcess, workerThreads } from './builtins.js'
import { apply, construct, freeze, indexOf, pushTo, slice, startsWith } from './captured.js'

/** How the runtime is told what to load before everything else. */
export type PreloadFlag = '--import' | '--preload'

/** What starts children. */
export interface Bootstrap {
  /** URL of the module that they load first, as the roots are now; empty where there is none. */
  preload: () => string
  /** Undefined where the runtime cannot be told, for workers or at all. */
  flag: PreloadFlag | undefined
}

type Options = Record<string, unknown>

/** Replaces `Worker` and `fork`. Of the latter, `node:cluster` starts its workers. */
export function guardChildren(bootstrap: Bootstrap): void {
  guardWorkers(bootstrap)
  guardFork(bootstrap)
}

function guardWorkers(bootstrap: Bootstrap): void {
  const handler: ProxyHandler<typeof workerThreads.Worker> = freeze({
    __proto__: null,
    construct(target: object, args: unknown[], newTarget: object): object {
      const options = { __proto__: null, ...(args[1] as Options | undefined) }
      refuseText(args[0], options)
      args[1] = withPreload(bootstrap, options)
      return create(target as never, args, newTarget as never)
    },
  })
  const own = workerThreads.Worker
  workerThreads.Worker = new Proxy(own, handler)
  const { Worker: global } = globalThis as { Worker?: unknown }
  // Bun and Deno have one for all code, as browsers do.
  if (typeof global === 'function')
    Object.assign(globalThis, { Worker: new Proxy(global, handler as ProxyHandler<never>) })
}

/** Some Nodes refuse flags of the process in a thread: then it gets none but ours. */
function create(target: new () => object, args: unknown[], newTarget: new () => object): object {
  try {
    return construct(target, args, newTarget)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error
    const options = args[1] as Options & { execArgv: string[] }
    const { execArgv } = options
    args[1] = { __proto__: null, ...options, execArgv: [execArgv[0], execArgv[1]] }
    return construct(target, args, newTarget)
  }
}

/** @throws SignedImpError on what no hook would see */
function refuseText(script: unknown, { eval: isText }: Options): void {
  const url = `${script as string}`
  const isUrl = startsWith(url, 'data:') || startsWith(url, 'blob:') || startsWith(url, 'http')
  if (isText) throw refusal('UNLISTED', 'a worker of text: only files are checked', 'eval')
  if (isUrl) throw refusal('UNLISTED', 'only files of signed folders are loaded', slice(url, 0, 80))
}

function withPreload({ preload, flag }: Bootstrap, options: Options): Options {
  const url = preload()
  if (url === '' || flag === undefined) throw notStartable('a worker')
  if (flag === '--preload') return { ...options, preload: addTo(options.preload, url) }
  return { ...options, execArgv: flagsWith(options.execArgv, flag, url) }
}

const notStartable = (what: string) =>
  refusal(
    'NOT_ENFORCEABLE',
    `${what} would start without the hooks: this runtime has no way to them`,
  )

/** Bun takes a text or a list. */
function addTo(given: unknown, url: string): string[] {
  const all = [url]
  if (typeof given === 'string') pushTo(all, given)
  else if (Array.isArray(given))
    for (let at = 0; at < given.length; at++) pushTo(all, given[at] as string)
  return all
}

/** Ours comes first. What the parent was told to load first is its own business, and is not passed on. */
function flagsWith(given: unknown, flag: PreloadFlag, url: string): string[] {
  const flags = [flag, url]
  const list = (given ?? process.execArgv) as string[]
  for (let at = 0; at < list.length; at++)
    if (given === undefined && isPreload(list[at]!)) at += indexOf(list[at]!, '=', 0) < 0 ? 1 : 0
    else pushTo(flags, list[at]!)
  return flags
}

/** Whether a flag of Node or Bun makes it load something before the program; its value is in it, or follows. */
export const isPreload = (flag: string): boolean =>
  flag === '-r' ||
  startsWith(flag, '--import') ||
  startsWith(flag, '--require') ||
  startsWith(flag, '--preload') ||
  startsWith(flag, '--loader') ||
  startsWith(flag, '--experimental-loader')

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
