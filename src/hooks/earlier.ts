/** What was loaded before the hooks: nobody has checked it, and it may have changed anything. */
import { refusal } from '../manifest/refusal.js'
import { Module } from './builtins.js'
import { node } from './captured.js'
import { isPreload } from './flags.js'
import { realPath } from './real-path.js'

/** Who may have been there before. */
export interface Allowed {
  /** Absolute paths of files, and of folders with a separator behind them, that whoever starts vouches for. */
  allow: readonly string[]
  /** URL of the module that children load first. */
  preload: string
}

/**
 * Refuses to go on where something else was loaded first: as far as the runtime tells, which is CommonJS by its cache, and
 * modules by the flags that load them.
 * @throws SignedImpError `ERR_SIGNEDIMP_UNLISTED`
 */
export function refuseEarlier(allowed: Allowed): void {
  const { _cache: cache } = Module as unknown as { _cache: object }
  const stray = [...Object.keys(cache), ...flaggedPreloads()].find(
    (name) => !isAllowed(name, allowed),
  )
  if (stray !== undefined)
    throw refusal(
      'UNLISTED',
      'loaded before the hooks, unchecked: leave it out, or name it in "allow"',
      stray,
    )
}

function isAllowed(name: string, { allow, preload }: Allowed): boolean {
  if (name === preload || name === 'signedimp/node') return true
  const file = name.startsWith('file:') ? node.fileURLToPath(name) : node.resolve(name)
  const real = realPath(file)
  const covers = (one: string) =>
    [file, real].some((path) => (one.endsWith(node.sep) ? path.startsWith(one) : path === one))
  return allow.some(covers)
}

/** What flags on the command line and in the environment load first. */
export function flaggedPreloads(): string[] {
  const options = [...(process.env.NODE_OPTIONS ?? '').matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)]
  const flags = [...process.execArgv, ...options.map(([, quoted, plain]) => quoted ?? plain!)]
  return flags.flatMap((flag, at) => {
    if (/^--experimental-(default-)?config-file/.test(flag)) return [flag]
    if (!isPreload(flag)) return []
    const [, value] = /=(.*)$/s.exec(flag) ?? []
    return [value ?? flags[at + 1] ?? flag]
  })
}
