/**
 * Starts checking what a program loads: from then on, the runtime compiles nothing that is in none of the roots, or has
 * other bytes than its manifest says.
 *
 * Of this folder, `start` is what others build on (`signedimp/node`, programs with a bootstrap of their own). It is
 * synchronous, and may be called once in a thread, before any code that is to be checked.
 */
import Module from 'node:module'
import { refusal } from '../manifest/refusal.js'
import { installInBun } from './bun.js'
import { patchCommonJs } from './commonjs.js'
import { addTo, type Judge, type Policy } from './judge.js'
import { installOffThread, type Register } from './off-thread.js'
import { openRoot, type Root, type RootOptions } from './root.js'
import { installSync, type RegisterHooks } from './sync.js'

/** What a program may load. Checked by whoever calls: keys are read, and names and numbers are what they must be. */
export interface StartOptions extends Partial<Policy> {
  /** The signed folders. */
  roots: readonly RootOptions[]
  /** Files that may have been loaded before, by their absolute paths: whoever starts vouches for them. */
  allow?: readonly string[]
  /**
   * URL of a module that workers and forked children import before anything else, and that starts the hooks there.
   * Without one, there are none: they are refused.
   */
  preload?: string
}

/** What checks a program. */
export interface Started {
  readonly judge: Judge
  /** Adds a root whose manifest was checked. @throws TypeError if it shares files with another */
  add(root: Root): Promise<void>
}

/**
 * Checks the manifests, and installs the hooks.
 * @throws SignedImpError
 */
export function start({ roots, nodeModules = 'refused', preload = '' }: StartOptions): Started {
  const judge: Judge = { roots: [], policy: { nodeModules } }
  for (const root of roots) addTo(judge, openRoot(root))
  const tell = install(judge, preload)
  return {
    judge,
    async add(root) {
      addTo(judge, root)
      await tell?.(root)
    },
  }
}

/** @returns how roots that are added later come to where the hooks are, if that is elsewhere */
function install(judge: Judge, preload: string): ((root: Root) => unknown) | undefined {
  const { registerHooks, register } = Module as unknown as {
    registerHooks?: RegisterHooks
    register?: Register
  }
  if (registerHooks) {
    installSync(registerHooks, judge, preload)
    return undefined
  }
  // Bun has a `register` too, which does nothing.
  if (process.versions.bun) return installInBun(judge)
  if (!register) throw refusal('NOT_ENFORCEABLE', 'this runtime has no hooks for what it loads')
  patchCommonJs(judge)
  return installOffThread(register, judge, preload)
}
