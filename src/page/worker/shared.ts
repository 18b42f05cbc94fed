/** `SharedWorker`: nothing checks what one runs, so that only what `unverified` names may be one. */
import { notEnforceable } from '../refuse.js'
import { told, type Scripts } from './guard.js'

/** Puts a guard in the place of `SharedWorker`, where the browser has it. */
export function guardSharedWorkers({ judge, isGuest, tell, trust }: Scripts): void {
  if (!('SharedWorker' in globalThis)) return
  const toScript = (reference: unknown): unknown => {
    const found = judge(`${reference}`)
    if (found.kind === 'accepted') return trust(found.href)
    if (found.kind === 'own' || isGuest) return reference
    throw told(tell, notEnforceable('a shared worker', found.href))
  }
  const guarded = new Proxy(SharedWorker, {
    construct: (target, [reference, ...rest], newTarget: new () => unknown) =>
      Reflect.construct(target, [toScript(reference), ...rest], newTarget) as SharedWorker,
  })
  SharedWorker.prototype.constructor = guarded
  globalThis.SharedWorker = guarded
}
