/** `Worker`, so that what it runs is checked; the same in a page and in a worker. */
import { refusal } from '../../manifest/refusal.js'
import type { SignedImpError } from '../../errors.js'
import type { Roots } from './boot.js'
import type { createJudge } from './judge.js'

/** How scripts are found that somebody starts as workers. */
export interface Scripts {
  judge: ReturnType<typeof createJudge>
  /** Whether what is not listed is somebody else's to judge, as in a page that is not ours. */
  isGuest: boolean
  /** The URL of a blob that starts the script at a path. */
  rootOf(path: string, type: keyof Roots): string
  /** Told of each refusal. */
  tell(refused: SignedImpError): unknown
  /** What a page that requires Trusted Types takes. */
  trust(url: string): string
}

/** Puts the guard in the place of `Worker`: the constructor stays synchronous, and what it makes are the engine's own. */
export function guardWorkers(scripts: Scripts): void {
  const toScript = createToScript(scripts)
  const guarded = new Proxy(Worker, {
    construct(target, values: unknown[], newTarget: new () => unknown) {
      const [url, options] = values
      const script = values.length > 0 ? [toScript(url, options as WorkerOptions)] : []
      return Reflect.construct(target, [...script, ...values.slice(1)], newTarget) as Worker
    },
  })
  Worker.prototype.constructor = guarded
  globalThis.Worker = guarded
}

function createToScript({
  judge,
  isGuest,
  rootOf,
  tell,
  trust,
}: Scripts): (reference: unknown, options?: WorkerOptions) => unknown {
  return (reference, options) => {
    const found = judge(`${reference}`)
    if (found.kind === 'own' || (found.kind === 'unlisted' && isGuest)) return reference
    if (found.kind === 'accepted') return trust(found.href)
    if (found.kind === 'unlisted') throw told(tell, refusal('UNLISTED', notListed, found.href))
    const root = rootOf(found.path, options?.type === 'module' ? 'module' : 'classic')
    // The worker finds its own address there, with whatever its maker added to the file's.
    return trust(`${root}#${encodeURIComponent(found.href)}`)
  }
}

const notListed = 'a worker is made of it, and the manifest does not list it'

/** A refusal, once it is told. */
export function told(tell: Scripts['tell'], refused: SignedImpError): SignedImpError {
  tell(refused)
  return refused
}
