import type { SignedImpError } from '../errors.js'
import { createCheckedFetch } from './checked-fetch.js'
import type { Boot } from './context.js'
import { installGuard } from './guard.js'
import { createLocate } from './locate.js'

/** What a page or a worker knows of the files that `fetch` guards there. */
export interface GuardedFiles {
  /** Pattern of their paths. */
  pattern: string
  /** The URL that relative ones start at, whenever it is asked for. */
  base(): string
  /** Told of each refusal. */
  tell(refused: SignedImpError): unknown
}

/** Makes `fetch` of this realm give listed files of a pattern only as they are signed. */
export function guardListed(context: Boot, { pattern, base, tell }: GuardedFiles): void {
  const locate = createLocate(context)
  const guarded = new RegExp(pattern, 'u')
  installGuard(self, {
    base,
    find: (href) => {
      const path = locate(href)
      return path !== undefined && guarded.test(path) ? path : undefined
    },
    fetch: createCheckedFetch(context, tell),
    tell,
  })
}
