/** `SharedWorker`: nothing checks what one runs, so that only what `unverified` names may be one. */
import { notEnforceable } from '../refuse.js'
import { stripped, told, toUrl, type Scripts } from './guard.js'

/** Puts a guard in the place of `SharedWorker`, where the browser has it. */
export function guardSharedWorkers({ base, unverified, isGuest, tell, trust }: Scripts): void {
  if (!('SharedWorker' in globalThis)) return
  const guarded = new Proxy(SharedWorker, {
    construct(target, [reference, ...rest], newTarget: new () => unknown) {
      const url = toUrl(`${reference}`, base())
      const isOwn = !url || /^(blob|data):/.test(url.protocol) || isGuest
      const isAccepted = url && unverified.has(stripped(url.href))
      if (!isOwn && !isAccepted) throw told(tell, notEnforceable('a shared worker', url.href))
      const script = isAccepted ? trust(url.href) : (reference as string)
      return Reflect.construct(target, [script, ...rest], newTarget) as SharedWorker
    },
  })
  SharedWorker.prototype.constructor = guarded
  globalThis.SharedWorker = guarded
}
