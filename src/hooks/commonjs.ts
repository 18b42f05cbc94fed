/** The loader of CommonJS where it has no hooks (Node 20, Bun): what finds files is replaced, and what compiles them. */
import { refusal } from '../manifest/refusal.js'
import { isCopy } from './addons.js'
import { Module } from './builtins.js'
import { apply, fileUrl, indexOf, node, parseJson, textOf } from './captured.js'
import { formatOf } from './format.js'
import { check, type Checked, type Judge } from './judge.js'
import { checkFound, findNamed } from './resolve.js'

/** The parts of the loader that its users may replace (Node, "require.extensions"). */
interface Loader {
  _extensions: Record<string, Extension>
  _resolveFilename: ResolveFilename
}
type Extension = (module: LoadedModule, file: string) => void
type Parent = { filename?: string | null } | null | undefined
type ResolveFilename = (
  this: unknown,
  ...args: [specifier: string, parent: Parent, ...rest: unknown[]]
) => string
/** A module as its loader has it. */
export interface LoadedModule {
  exports: unknown
  _compile(text: string, file: string, format?: string): void
}

/** Replaces the loader's parts. What is loaded already stays. */
export function patchCommonJs(judge: Judge): void {
  patchCompiling(judge)
  patchFinding(judge)
}

/** Replaces what compiles files. */
export function patchCompiling(judge: Judge): void {
  const loader = Module as unknown as Loader
  const native = loader._extensions
  const byDefault = native['.js']!
  for (const extension of ['.js', '.cjs', '.mjs', '.json', '.node']) {
    const otherwise = native[extension] ?? byDefault
    native[extension] = (module, file) => {
      const checked = isCopy(file) ? undefined : check(judge, file)
      if (!checked || extension === '.node') otherwise(module, file)
      else compile(module, file, checked)
    }
  }
}

/** Replaces what finds files: what a specifier names in a root, the manifest says. */
export function patchFinding(judge: Judge): void {
  const loader = Module as unknown as Loader
  const find = loader._resolveFilename
  loader._resolveFilename = function (...args) {
    const request = { specifier: args[0], parent: urlOfParent(args[1]), isPath: true }
    const named = findNamed(judge, request)
    if (named) return named.root.folder + named.path
    const found = apply(find, this, args)
    if (node.isAbsolute(found)) checkFound(judge, request, fileUrl(found))
    return found
  }
}

const urlOfParent = (parent: Parent): string | undefined =>
  parent?.filename ? fileUrl(parent.filename) : undefined

function compile(module: LoadedModule, file: string, checked: Checked): void {
  const format = formatOf(checked)
  const text = textOf(checked.bytes)
  if (format === 'json') module.exports = parseJson(text)
  else if (format === 'module') compileModule(module, file, checked.path, text)
  else module._compile(text, file, 'commonjs')
}

/** What a module that is required imports itself would be read by Node, and by nobody else. */
function compileModule(module: LoadedModule, file: string, path: string, text: string): void {
  if (mayImport(text))
    throw refusal(
      'NOT_ENFORCEABLE',
      'require() of a module that imports others cannot be checked in this runtime: import it',
      path,
    )
  module._compile(text, file, 'module')
}

/** Whether a text may hold a static import: what says `import` or `from` in another way is refused with it. */
const mayImport = (text: string): boolean => has(text, 'import', '(.') || has(text, 'from', '(')

/** Whether a text has a word that none of some characters follows. */
function has(text: string, word: string, harmless: string): boolean {
  for (let at = indexOf(text, word, 0); at >= 0; at = indexOf(text, word, at + 1))
    if (indexOf(harmless, text[at + word.length] ?? ' ', 0) < 0) return true
  return false
}
