import type { SignedImpError } from '../errors.js'
import type { CheckedFetch } from './checked-fetch.js'
import { notEnforceable } from './refuse.js'

/** What has `fetch` and `XMLHttpRequest`: the global object of a page or of a worker. */
export type Realm = Pick<typeof globalThis, 'fetch'> & {
  XMLHttpRequest?: typeof XMLHttpRequest
}

/** What code that fetches is guarded by. */
export interface Guard {
  /** The URL that relative ones start at, whenever it is asked for. */
  base(): string
  /** The path of a file that must be checked, by its absolute URL; undefined for all else. */
  find(href: string): string | undefined
  /** Gets such a file. */
  fetch: CheckedFetch
  /** Told of each refusal that `fetch` does not tell of itself. */
  tell(refused: SignedImpError): unknown
}

const { get: urlOf } = Object.getOwnPropertyDescriptor(Request.prototype, 'url')!

/** The URL of a request; undefined for what is none, whatever it looks like. */
function requestUrl(input: unknown): string | undefined {
  try {
    return urlOf!.call(input) as string
  } catch {
    return undefined
  }
}

/**
 * Makes `fetch` of a realm check the files that it must, and `XMLHttpRequest` refuse them, for that can check nothing.
 * All other calls, and all that do not `GET`, go to what was there before, as they came.
 */
export function installGuard(realm: Realm, guard: Guard): void {
  const { fetch, XMLHttpRequest: Xhr } = realm
  replace(realm, 'fetch', new Proxy(fetch, { apply: createApply(guard) }))
  if (!Xhr) return
  const { open } = Xhr.prototype
  replace(Xhr.prototype, 'open', new Proxy(open, { apply: createOpen(guard) }))
}

/** By everything but its value, the property is the one that was there. */
const replace = <T, Name extends keyof T>(target: T, name: Name, value: T[Name]): unknown =>
  Object.defineProperty(target, name, { value })

/** Finds out what a call asks for. */
type Find = (reference: string) => { href: string; path: string } | undefined

const createFind =
  ({ base, find }: Guard): Find =>
  (reference) => {
    try {
      const { href } = new URL(reference, base())
      const path = find(href)
      return path === undefined ? undefined : { href, path }
    } catch {
      return undefined
    }
  }

type Apply<Work extends (...args: never[]) => unknown> = Required<ProxyHandler<Work>>['apply']

function createApply(guard: Guard): Apply<typeof fetch> {
  const findAsked = createFind(guard)
  return (target, self, args: unknown[]) => {
    const [input, ...rest] = args as Parameters<typeof fetch>
    if (args.length === 0) return Reflect.apply(target, self, args)
    try {
      const url = requestUrl(input)
      // A text is made of it once, so that what is judged is what is asked for.
      const asked = url === undefined ? `${input as string}` : (input as Request)
      const found = findAsked(url ?? (asked as string))
      if (!found) return Reflect.apply(target, self, [asked, ...rest])
      const request = new Request(url === undefined ? found.href : asked, ...rest)
      return request.method === 'GET'
        ? guard.fetch(request, found.path)
        : Reflect.apply(target, self, [request])
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

function createOpen(guard: Guard): Apply<XMLHttpRequest['open']> {
  const findAsked = createFind(guard)
  return (target, self, args: unknown[]) => {
    const [method, url, ...rest] = args
    if (args.length < 2) return Reflect.apply(target, self, args)
    const [verb, reference] = [`${method as string}`, `${url as string}`]
    const found = /^get$/i.test(verb) ? findAsked(reference) : undefined
    if (!found) return Reflect.apply(target, self, [verb, reference, ...rest])
    const refused = notEnforceable('XMLHttpRequest', found.path)
    guard.tell(refused)
    throw refused
  }
}
