/** What kind of module a file is: its name says it, or a signed `package.json`, or its own signed text. Never the disk. */
import {
  endsWith,
  getOf,
  hasIn,
  hasOwn,
  lastIndexOf,
  node,
  parseJson,
  setIn,
  slice,
  startsWith,
  textOf,
} from './captured.js'
import { checkPlace, type Checked, type Place } from './judge.js'

/** As the loaders of Node call them. */
export type Format = 'module' | 'commonjs' | 'json' | 'wasm' | 'addon'

/** @throws SignedImpError where a listed `package.json` is gone or changed */
export function formatOf(checked: Checked): Format {
  const { path } = checked
  if (endsWith(path, '.mjs')) return 'module'
  if (endsWith(path, '.cjs')) return 'commonjs'
  if (endsWith(path, '.json')) return 'json'
  if (endsWith(path, '.wasm')) return 'wasm'
  if (endsWith(path, '.node')) return 'addon'
  const type = typeIn(checked, folderOf(path))
  return type === 'module' || type === 'commonjs' ? type : detect(checked)
}

/** Path of the folder that a path is in; of what is at the top, an empty text. */
export function folderOf(path: string): string {
  const end = lastIndexOf(path, '/')
  return end < 0 ? '' : slice(path, 0, end)
}

/** What the nearest listed `package.json` says; files that are not listed say nothing. */
function typeIn({ root }: Place, folder: string): string {
  const known = getOf(root.types, folder)
  if (known !== undefined) return known
  const path = folder === '' ? 'package.json' : `${folder}/package.json`
  let type = ''
  if (hasIn(root.files, path)) type = readType(checkPlace({ root, path }))
  else if (folder !== '') type = typeIn({ root, path }, folderOf(folder))
  setIn(root.types, folder, type)
  return type
}

const readType = (checked: Checked): string => fieldOf(checked, 'type') ?? ''

/** A text in a signed JSON file, whatever other objects seem to have. */
export function fieldOf({ bytes }: Checked, name: string): string | undefined {
  const read = parseJson(textOf(bytes)) as Record<string, unknown> | null
  const value =
    typeof read === 'object' && read !== null && hasOwn(read, name) ? read[name] : undefined
  return typeof value === 'string' ? value : undefined
}

/** As Node does: what cannot be compiled as CommonJS is a module. Signed bytes have one answer. */
function detect({ root, path, bytes }: Checked): 'module' | 'commonjs' {
  if (hasIn(root.importers, path)) return 'module'
  const text = textOf(bytes)
  try {
    node.compileFunction(startsWith(text, '#!') ? `//${text}` : text, parameters)
    return 'commonjs'
  } catch {
    return 'module'
  }
}

const parameters = ['exports', 'require', 'module', '__filename', '__dirname']
