/** Worker threads: hooks are a thread's own, so that each one starts with the same bootstrap, or not at all. */
import { refusal } from '../manifest/refusal.js'
import { workerThreads } from './builtins.js'
import { construct, pushTo, slice, startsWith } from './captured.js'
import { notStartable, type Bootstrap } from './children.js'
import { flagsWith, refuseVariables } from './flags.js'

type Options = Record<string, unknown>
type Class = new (...args: unknown[]) => object
type Construct = (target: Class, args: unknown[], newTarget: Class) => object

/** Replaces `Worker`. */
export function guardWorkers(bootstrap: Bootstrap): void {
  workerThreads.Worker = guard(workerThreads.Worker as never, bootstrap)
  const { Worker: global } = globalThis as { Worker?: unknown }
  // Bun and Deno have one for all code, as browsers do.
  if (typeof global === 'function')
    Object.assign(globalThis, { Worker: guard(global as never, bootstrap) })
}

function guard(own: Class, bootstrap: Bootstrap): never {
  const admit = closeBase(own)
  const guarded = new Proxy(own, {
    construct(target, args: unknown[], newTarget) {
      const options = { __proto__: null, ...(args[1] as Options | undefined) }
      refuseText(args[0], options)
      args[1] = withPreload(bootstrap, options)
      return create(admit, [target, args, newTarget as Class])
    },
  })
  // What workers say that they were made by.
  Object.assign(own.prototype as object, { constructor: guarded })
  return guarded as never
}

/**
 * Has a class make nothing but what is admitted, for whoever took it before it was replaced: what it inherits from is asked
 * first. (Bun's global `Worker` asks nobody.)
 * @returns constructs with it
 */
function closeBase(own: Class): Construct {
  let isAdmitted = false
  const base = new Proxy(Object.getPrototypeOf(own) as Class, {
    construct(target, args: unknown[], newTarget) {
      if (!isAdmitted) throw notStartable('a Worker that was taken before the hooks')
      isAdmitted = false
      return construct(target, args, newTarget) as object
    },
  })
  Object.setPrototypeOf(own, base)
  Object.preventExtensions(own)
  return (...given) => {
    isAdmitted = true
    try {
      return construct(...given) as object
    } finally {
      isAdmitted = false
    }
  }
}

/** Some Nodes refuse flags of the process in a thread: then it gets none but ours. */
function create(admit: Construct, [target, args, newTarget]: Parameters<Construct>): object {
  try {
    return admit(target, args, newTarget)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error
    const options = args[1] as Options & { execArgv: string[] }
    const { execArgv } = options
    args[1] = { __proto__: null, ...options, execArgv: [execArgv[0], execArgv[1]] }
    return admit(target, args, newTarget)
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
  const own = { ...options, env: checkedVariables(options.env) }
  if (flag === '--preload') return { ...own, preload: listWith(url, options.preload) }
  return { ...own, execArgv: flagsWith(options.execArgv, flag, url) }
}

/** Variables as a thread gets them: of an object, those that were checked. */
function checkedVariables(env: unknown): unknown {
  const isOwn = typeof env === 'object' && env !== null
  const variables = isOwn ? { ...(env as Record<string, string>) } : process.env
  refuseVariables(variables)
  return isOwn ? variables : env
}

/** Bun takes a text or a list. */
function listWith(url: string, given: unknown): string[] {
  const all = [url]
  if (typeof given === 'string') pushTo(all, given)
  else if (Array.isArray(given))
    for (let at = 0; at < given.length; at++) pushTo(all, given[at] as string)
  return all
}
