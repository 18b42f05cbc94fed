/** What would put other hooks before ours, or hand the loader something else than source: from the start on, it is refused. */
import { refusal } from '../manifest/refusal.js'
import { Module } from './builtins.js'

const locked = ['registerHooks', 'register', 'enableCompileCache'] as const

/** @throws SignedImpError where compiled code comes from a cache, which has no signature */
export function refuseCompileCache(): void {
  const { getCompileCacheDir } = Module as unknown as { getCompileCacheDir?(): string | undefined }
  const folder = getCompileCacheDir?.()
  if (folder)
    throw refusal(
      'NOT_ENFORCEABLE',
      'compiled code would come from a cache that nobody signed: start without NODE_COMPILE_CACHE',
      folder,
    )
  // For whoever took `enableCompileCache` before it is locked.
  if ('enableCompileCache' in Module) process.env.NODE_DISABLE_COMPILE_CACHE = '1'
}

/** Bun has realms whose loader nobody can be asked by: nothing runs in them. */
export function lockRealms(): void {
  const { ShadowRealm } = globalThis as { ShadowRealm?: { prototype: object } }
  if (!ShadowRealm) return
  const locked = () => {
    throw refusal('NOT_ENFORCEABLE', 'what a ShadowRealm loads would not be checked')
  }
  Object.assign(ShadowRealm.prototype, { evaluate: locked, importValue: locked })
}

/** Locks functions of `node:module`. */
export function lockLoader(): void {
  const module = Module as unknown as Record<string, unknown>
  for (const name of locked)
    if (name in module)
      module[name] = () => {
        throw refusal('NOT_ENFORCEABLE', `module.${name} is locked while modules are checked`)
      }
}
