/**
 * Modules of the runtime whose functions are replaced. They are not imported here: Bun and Deno copy what they export when
 * they are imported first, and must find the replacements then.
 */
const get = <Module>(name: string): Module =>
  (process as unknown as { getBuiltinModule(name: string): Module }).getBuiltinModule(name)

export const Module = get<typeof import('node:module')>('node:module')
export const childProcess = get<typeof import('node:child_process')>('node:child_process')
export const workerThreads = get<typeof import('node:worker_threads')>('node:worker_threads')

/** The runtime, where it is not Node. */
export const isBun = process.versions.bun !== undefined
export const isDeno = 'Deno' in globalThis
