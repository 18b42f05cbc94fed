/**
 * Starts checking what a program loads: from then on, the runtime compiles nothing that is in none of the roots, or has
 * other bytes than its manifest says.
 *
 * Of this folder, `start` is what others build on (`signedimp/node`, programs with a bootstrap of their own). It is
 * synchronous, and may be called once in a thread, before any code that is to be checked.
 */
import Module from 'node:module'
import { refusal } from '../manifest/refusal.js'
import { addTo, type Judge, type Policy } from './judge.js'
import { openRoot, type RootOptions } from './root.js'
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

/**
 * Checks the manifests, and installs the hooks.
 * @throws SignedImpError
 */
export function start({ roots, nodeModules = 'refused', preload = '' }: StartOptions): Judge {
  const judge: Judge = { roots: [], policy: { nodeModules } }
  for (const root of roots) addTo(judge, openRoot(root))
  const { registerHooks } = Module as unknown as { registerHooks?: RegisterHooks }
  if (!registerHooks) throw refusal('NOT_ENFORCEABLE', 'this runtime has no module.registerHooks')
  installSync(registerHooks, judge, preload)
  return judge
}
