/** What hooks of all loaders answer: the two questions that a loader asks, without the way it asks them. */
import { refusal } from '../manifest/refusal.js'
import { isDeno } from './builtins.js'
import { node, slice, startsWith, textOf } from './captured.js'
import { formatOf } from './format.js'
import { check, type Checked, type Judge } from './judge.js'
import { findNamed, type Request } from './resolve.js'
import { urlOf } from './root.js'

/** What a loader is told that a specifier means. */
export interface Resolved {
  url: string
  format?: string | null | undefined
  shortCircuit?: boolean
}

/** What a loader is given to compile. */
export interface Loaded {
  format: string | null | undefined
  source?: string | ArrayBuffer | NodeJS.TypedArray | null | undefined
  shortCircuit?: boolean
}

/** The URL of a file that a specifier names in a root. Of others, the loader must say what they mean. @throws SignedImpError */
export function resolveNamed(judge: Judge, request: Request): Resolved | undefined {
  const named = findNamed(judge, request)
  if (!named) return undefined
  const like = request.isPath ? undefined : request.specifier
  return answer({ url: urlOf(named.root, named.path, like) })
}

/** What a URL stands for; undefined for what is the runtime's own, and for what may run as it is. @throws SignedImpError */
export function loadChecked(judge: Judge, url: string, preload: string): Loaded | undefined {
  if (startsWith(url, 'node:') || (preload !== '' && url === preload)) return undefined
  if (!startsWith(url, 'file:'))
    throw refusal('UNLISTED', 'only files of signed folders are loaded', slice(url, 0, 80))
  const checked = check(judge, node.fileURLToPath(url))
  if (!checked) return undefined
  const format = formatOf(checked)
  if (format === 'addon') return openAddon(checked)
  if (format !== 'wasm') return answer({ format, source: textOf(checked.bytes) })
  if (isDeno)
    throw refusal('NOT_ENFORCEABLE', 'Deno takes no WebAssembly that was checked', checked.path)
  return answer({ format, source: checked.bytes })
}

/** Deno asks for addons too, and would take their bytes for a text: they are opened as `require` does elsewhere. */
function openAddon({ path }: Checked): Loaded {
  if (!isDeno) throw refusal('NOT_ENFORCEABLE', 'an addon is required, and not imported', path)
  return answer({ format: 'commonjs', source: 'process.dlopen(module, __filename)' })
}

/** Without what somebody gave all objects. */
export const answer = <Fields extends object>(fields: Fields): Fields & { shortCircuit: true } =>
  ({ __proto__: null, ...fields, shortCircuit: true }) as never
