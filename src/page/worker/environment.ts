/** What a worker from a blob must be told to be like one from its file's URL: where it is, and where references start. */
import { toUrl } from './judge.js'

const parts = [
  'href',
  'origin',
  'protocol',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
] as const

/** Makes `location` say where the script is listed. */
export function setLocation(real: URL): void {
  const value = Object.create(WorkerLocation.prototype) as object
  for (const part of parts)
    Object.defineProperty(value, part, { value: real[part], enumerable: true })
  Object.defineProperty(value, 'toString', { value: () => real.href })
  Object.defineProperty(self, 'location', { value, configurable: true, enumerable: true })
}

/**
 * Makes requests start their references at the script's URL. Whoever is to see each request of a worker, so as to check
 * it, wraps `fetch` behind this call: what it gets then is absolute.
 */
export function setRequests(real: URL): void {
  const absolute = (reference: unknown): unknown =>
    typeof reference === 'string' || reference instanceof URL
      ? (toUrl(`${reference}`, real.href)?.href ?? reference)
      : reference
  const scope = self as unknown as Record<string, object | undefined>
  for (const name of ['Request', 'EventSource', 'WebSocket'])
    if (scope[name])
      scope[name] = new Proxy(scope[name] as new () => object, {
        construct: (target, [url, ...rest], newTarget) =>
          Reflect.construct(target, [absolute(url), ...rest], newTarget) as object,
      })
  wrap(self, 'fetch', 0, absolute)
  wrap(XMLHttpRequest.prototype, 'open', 1, absolute)
  if (scope['Cache'])
    for (const name of ['add', 'put', 'match', 'matchAll', 'delete', 'keys'])
      wrap(Cache.prototype, name, 0, absolute)
}

/** Makes one argument of a method another one. */
function wrap(owner: object, name: string, at: number, edit: (value: unknown) => unknown): void {
  const method = Reflect.get(owner, name) as () => unknown
  const apply = (target: () => unknown, own: unknown, values: unknown[]) =>
    Reflect.apply(
      target,
      own,
      values.map((value, index) => (index === at ? edit(value) : value)),
    )
  Reflect.set(owner, name, new Proxy(method, { apply }))
}
