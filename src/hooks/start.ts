/**
 * Starts checking what a program loads: from then on, the runtime compiles nothing that is in none of the roots, or has
 * other bytes than its manifest says.
 *
 * Of this folder, `start` is what others build on (`signedimp/node`, programs with a bootstrap of their own). It is
 * synchronous, and may be called once in a thread, before any code that is to be checked.
 */
import { refusal } from '../manifest/refusal.js'
import { guardAddons } from './addons.js'
import { installInBun } from './bun.js'
import { isBun, isDeno, Module, workerThreads } from './builtins.js'
import { guardChildren } from './children.js'
import { patchCommonJs, patchCompiling } from './commonjs.js'
import { refuseEarlier } from './earlier.js'
import { refuseMovedEntry } from './entry.js'
import type { PreloadFlag } from './flags.js'
import { addTo, removeFrom, type Change, type Judge, type Policy } from './judge.js'
import { lockLoader, lockRealms, refuseCompileCache } from './lock.js'
import { installOffThread, type Register } from './off-thread.js'
import { openRoot, type Root, type RootOptions } from './root.js'
import { installSync, type RegisterHooks } from './sync.js'
import { sayUncaught } from './uncaught.js'
import { guardWorkers } from './workers.js'

/** What a program may load. Checked by whoever calls: keys are read, and names and numbers are what they must be. */
export interface StartOptions extends Partial<Policy> {
  /** The signed folders. */
  roots: readonly RootOptions[]
  /**
   * What may have been loaded before: absolute paths of files, and of folders with a separator behind them. Whoever starts
   * vouches for them.
   */
  allow?: readonly string[]
  /**
   * URL of a module that workers and forked children import before anything else, and that starts the hooks there, with
   * the roots as they are then. Without one, children are refused.
   */
  preload?: (roots: readonly RootOptions[]) => string
}

/** What checks a program. */
export interface Started {
  readonly judge: Judge
  /** Adds a root whose manifest was checked. @throws TypeError if it shares files with another */
  add(root: Root): Promise<void>
  /** Takes a root away: what of it was not loaded yet is in no root any more. */
  remove(root: Root): Promise<void>
}

/**
 * Checks the manifests, and installs the hooks.
 * @throws SignedImpError what `openRoot` refuses; `…_UNLISTED` for what was loaded before; `…_NOT_ENFORCEABLE`
 */
export function start(options: StartOptions): Started {
  const { roots, nodeModules = 'refused', allow = [], preload = () => '' } = options
  if (workerThreads.isMainThread) sayUncaught()
  const judge: Judge = { roots: [], policy: { nodeModules } }
  for (const root of roots) addTo(judge, openRoot(root))
  let url = preload(judge.roots.map((root) => root.options))
  refuseEarlier({ allow, preload: url })
  refuseCompileCache()
  refuseMovedEntry(judge)
  const tell = install(judge, url)
  guardAddons(judge)
  const bootstrap = { preload: () => url, flag: preloadFlag() }
  guardWorkers(bootstrap)
  guardChildren(bootstrap)
  lockLoader()
  lockRealms()
  Module.syncBuiltinESMExports?.()
  const changed = () => void (url = preload(judge.roots.map((root) => root.options)))
  return {
    judge,
    async add(root) {
      addTo(judge, root)
      changed()
      await tell({ add: root })
    },
    async remove(root) {
      removeFrom(judge, root.folder)
      changed()
      await tell({ remove: root.folder })
    },
  }
}

/** @returns tells of roots that are added or taken away later, where the hooks are elsewhere */
function install(judge: Judge, preload: string): (change: Change) => unknown {
  const { registerHooks, register } = Module as unknown as {
    registerHooks?: RegisterHooks
    register?: Register
  }
  if (registerHooks) {
    installSync(registerHooks, judge, preload)
    // Of what is handed to its inner functions, Deno's loader does not ask the hooks.
    if (isDeno) patchCompiling(judge)
    return () => {}
  }
  // Bun has a `register` too, which does nothing.
  if (isBun) return installInBun(judge, preload)
  if (!register) throw refusal('NOT_ENFORCEABLE', 'this runtime has no hooks for what it loads')
  patchCommonJs(judge)
  return installOffThread(register, judge, preload)
}

function preloadFlag(): PreloadFlag | undefined {
  if (isBun) return '--preload'
  return isDeno ? undefined : '--import'
}
