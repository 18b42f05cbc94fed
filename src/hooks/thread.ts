/** The loader of Node 20 for `import`: hooks in a thread of their own, which has its own copy of the roots. */
import type { InitializeHook, LoadHook, ResolveHook } from 'node:module'
import type { MessagePort } from 'node:worker_threads'
import { answer, loadChecked, resolveNamed } from './decide.js'
import { addTo, removeFrom, type Change, type Judge } from './judge.js'
import { checkFound } from './resolve.js'

/** What the thread is given at its start. */
export interface ThreadData {
  judge: Judge
  preload: string
  /** Brings what becomes of the roots later; each change is answered when it is made. */
  port: MessagePort
}

let judge: Judge
let preload: string

export const initialize: InitializeHook<ThreadData> = (data) => {
  ;({ judge, preload } = data)
  data.port.on('message', (change: Change) => {
    if ('add' in change) addTo(judge, change.add)
    else removeFrom(judge, change.remove)
    data.port.postMessage('done')
  })
  data.port.unref()
}

export const resolve: ResolveHook = async (specifier, context, next) => {
  const request = { specifier, parent: context.parentURL, isPath: false }
  const named = resolveNamed(judge, request)
  if (named) return named as never
  const found = await next(specifier, context)
  checkFound(judge, request, found.url)
  return found
}

/** CommonJS is left to its own loader, which checks what it compiles. */
export const load: LoadHook = async (url, context, next) => {
  const loaded = loadChecked(judge, url, preload)
  if (!loaded) return next(url, context)
  return loaded.format === 'commonjs'
    ? (answer({ format: 'commonjs', source: null }) as never)
    : (loaded as never)
}
