/** The loaders of Node from version 22, and of Deno: one pair of hooks for `import` and `require`, in the thread that loads. */
import type { LoadHookContext, ResolveHookContext } from 'node:module'
import { loadChecked, resolveNamed, type Loaded, type Resolved } from './decide.js'
import { includes } from './flags.js'
import type { Judge } from './judge.js'
import { checkFound } from './resolve.js'
import { loadStandIn, standInFor } from './stand-in.js'

type Next<Context, Result> = (reference: string, context?: Partial<Context>) => Result

/** Of `node:module`; the declarations of Node 20 do not have it. */
export type RegisterHooks = (hooks: {
  resolve: (
    specifier: string,
    context: ResolveHookContext,
    next: Next<ResolveHookContext, Resolved>,
  ) => Resolved
  load: (url: string, context: LoadHookContext, next: Next<LoadHookContext, Loaded>) => Loaded
}) => { deregister(): void }

/** Installs the hooks. Nobody gets the handle that would take them away. @param preload URL of our own that children import */
export function installSync(register: RegisterHooks, judge: Judge, preload: string): void {
  register({
    resolve(specifier, context, next) {
      const { parentURL: parent, conditions } = context
      const request = { specifier, parent, isPath: includes(conditions, 'require') }
      const named = resolveNamed(judge, request)
      if (named) return named
      const found = next(specifier, context)
      checkFound(judge, request, found.url)
      return request.isPath ? found : standInFor(found)
    },
    load: (url, context, next) =>
      loadStandIn(url) ?? loadChecked(judge, url, preload) ?? next(url, context),
  })
}
