/**
 * Whoever loads this package first may register something later, but before the program: one that forgets it has a program
 * that nothing checks. Each runtime says in its own way that it comes to the program.
 */
import { isBun, Module } from './builtins.js'
import { node } from './captured.js'
import type { Register } from './off-thread.js'
import { realPath } from './real-path.js'
import type { RegisterHooks } from './sync.js'

/** What the loader has; the declarations of Node 20 have not all of it. */
interface Loader {
  registerHooks?: RegisterHooks
  register?: Register<Int32Array>
  runMain(this: unknown, ...args: unknown[]): unknown
}

interface Bun {
  plugin(plugin: { name: string; setup(builder: Builder): void }): void
}
interface Builder {
  onResolve(filter: { filter: RegExp }, resolve: (file: { importer: string }) => undefined): void
}

/**
 * Has the program end before it begins, unless something was registered by then.
 * @param running 1 when it was, in memory that threads share
 * @param end ends the program
 */
export function awaitStart(running: Int32Array, end: () => never): void {
  const { registerHooks, register } = Module as unknown as Loader
  const begin = () => running[0] === 1 || end()
  if (isBun) awaitInBun(begin)
  else if (registerHooks) awaitSync(registerHooks, running, begin)
  else awaitInNode20(register!, running, begin, end)
}

// It imports the program from a module of its own.
const awaitInBun = (begin: () => void) =>
  (globalThis as unknown as { Bun: Bun }).Bun.plugin({
    name: 'signedimp',
    setup: (builder) =>
      builder.onResolve({ filter: /^/ }, ({ importer }) => {
        if (importer === 'bun:main') begin()
        return undefined
      }),
  })

/** The program has no parent. Deno does not ask what it means, but what it is. */
function awaitSync(registerHooks: RegisterHooks, running: Int32Array, begin: () => void): void {
  const [, entry = ''] = process.argv
  const handle = registerHooks({
    resolve(specifier, context, next) {
      if (context.parentURL === undefined) begin()
      return next(specifier, context)
    },
    load(url, context, next) {
      if (url.startsWith('file:') && isSame(node.fileURLToPath(url), entry)) begin()
      // Deno takes no hooks away while it asks them what something means.
      if (running[0] === 1) handle.deregister()
      return next(url, context)
    },
  })
}

/** Whether two paths lead to one file. */
export const isSame = (file: string, other: string): boolean =>
  realPath(file) === realPath(node.resolve(other))

/** Its two loaders: with `--import` that of modules loads the program, in another thread, and otherwise that of CommonJS. */
function awaitInNode20(
  register: NonNullable<Loader['register']>,
  running: Int32Array,
  begin: () => void,
  end: () => never,
): void {
  const loader = Module as unknown as Loader
  const { runMain } = loader
  loader.runMain = function (...args) {
    begin()
    return runMain.apply(this, args)
  }
  const text = `let running
export const initialize = (given) => { running = given }
export const resolve = (specifier, context, next) => {
  if (context.parentURL === undefined && running[0] === 0) throw new Error('${untold}')
  return next(specifier, context)
}`
  register(`data:text/javascript,${encodeURIComponent(text)}`, {
    parentURL: 'data:',
    data: running,
  })
  process.once('uncaughtExceptionMonitor', ({ message }) => message === untold && end())
}

const untold = 'signedimp: nothing was registered'
