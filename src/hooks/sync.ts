/** The loaders of Node from version 22, and of Deno: one pair of hooks for `import` and `require`, in the thread that loads. */
import { createRequire, type LoadHookContext, type ResolveHookContext } from 'node:module'
import { refusal } from '../manifest/refusal.js'
import { create, endsWith, node, slice, startsWith, textOf } from './captured.js'
import { formatOf } from './format.js'
import { check, type Judge } from './judge.js'
import { checkFound, findNamed } from './resolve.js'
import { urlOf } from './root.js'

type Next<Context, Result> = (reference: string, context?: Partial<Context>) => Result

interface Resolved {
  url: string
  format?: string | null | undefined
  shortCircuit?: boolean
}

interface Loaded {
  format: string | null | undefined
  source?: string | ArrayBuffer | NodeJS.TypedArray | undefined
  shortCircuit?: boolean
}

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
      const named = findNamed(judge, request)
      if (named) {
        const like = request.isPath ? undefined : specifier
        return result({ url: urlOf(named.root, named.path, like), format: undefined })
      }
      const found = next(specifier, context)
      checkFound(judge, request, found.url)
      return found
    },

    load(url, context, next) {
      if (startsWith(url, 'node:') || url === preload) return next(url, context)
      if (!startsWith(url, 'file:'))
        throw refusal('UNLISTED', 'only files of signed folders are loaded', slice(url, 0, 80))
      const checked = check(judge, node.fileURLToPath(url))
      if (!checked) return next(url, context)
      const format = formatOf(checked)
      const source = format === 'wasm' || format === 'addon' ? checked.bytes : textOf(checked.bytes)
      return result({ format, source })
    },
  })
}

/** Without what somebody gave all objects. */
function result<Fields extends object>(fields: Fields): Fields & { shortCircuit: true } {
  return { __proto__: null, ...fields, shortCircuit: true } as never
}

function includes(list: readonly string[], wanted: string): boolean {
  for (let at = 0; at < list.length; at++) if (list[at] === wanted) return true
  return false
}
