/** `Worker`, so that what it runs is checked; the same in a page and in a worker. */
import { refusal } from '../../manifest/refusal.js'
import type { SignedImpError } from '../../errors.js'
import type { Boot } from '../context.js'
import { createPathOf } from '../import.js'
import type { Roots } from './boot.js'

/** How scripts are found that somebody starts as workers. */
export interface Scripts {
  /** The URL that references start from. */
  base(): string
  /** URLs of scripts that run as the browser runs them. */
  unverified: ReadonlySet<string>
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
export function guardWorkers(context: Boot, scripts: Scripts): void {
  const toScript = createToScript(context, scripts)
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

/** What is no URL is the engine's to refuse; what is made of a blob or of data, signed code has made. */
function createToScript(
  context: Boot,
  { base, unverified, isGuest, rootOf, tell, trust }: Scripts,
): (reference: unknown, options?: WorkerOptions) => unknown {
  const pathOf = createPathOf(context)
  return (reference, options) => {
    const url = toUrl(`${reference}`, base())
    if (!url || /^(blob|data):/.test(url.protocol)) return reference
    const { href } = url
    const file = stripped(href)
    if (unverified.has(file)) return trust(href)
    const path = pathOf(file)
    if (path === undefined && isGuest) return reference
    if (path === undefined) throw told(tell, refusal('UNLISTED', notListed, href))
    const root = rootOf(path, options?.type === 'module' ? 'module' : 'classic')
    // The worker finds its own address there, with whatever its maker added to the file's.
    return trust(`${root}#${encodeURIComponent(href)}`)
  }
}

const notListed = 'a worker is made of it, and the manifest does not list it'

/** A URL without its query and its fragment, which are nothing that a file's bytes depend on. */
export const stripped = (href: string): string => href.replace(/[?#].*$/s, '')

/** A URL, or undefined for a reference that is none. */
export function toUrl(reference: string, base: string): URL | undefined {
  try {
    return new URL(reference, base)
  } catch {
    return undefined
  }
}

/** A refusal, once it is told. */
export function told(tell: Scripts['tell'], refused: SignedImpError): SignedImpError {
  tell(refused)
  return refused
}
