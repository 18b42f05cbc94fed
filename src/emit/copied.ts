/** Modules that no bundler linked: an output has them as somebody else wrote them. */
import { init, parse } from 'es-module-lexer'
import type { StaticImport } from '../manifest/format.js'
import { codeOf, isCode, type Output, type OutputFile } from './output.js'

/** Where a text imports something, when nobody looks. */
const anywhere = { start: 0, end: 1 }

/**
 * Finds what an output has copied that imports something. Nothing has made its imports mean the same wherever a redirect
 * leads, so that only an import map over all of a page can check them. As of other imports that only a page's map gives a
 * meaning, each is said to import itself.
 */
export async function findCopied(output: Output): Promise<Map<string, StaticImport[]>> {
  await init()
  const files = [...output.values()].filter((file) => !file.isModule && isCode(file.path))
  return new Map(
    files.filter(mayImport).map(({ path }) => [path, [{ ...anywhere, path }]] as const),
  )
}

/** Of what cannot be read, nobody can tell. */
function mayImport({ path, source }: OutputFile): boolean {
  if (/\.wasm$/i.test(path)) return false
  if (source === undefined) return true
  try {
    const [imports] = parse(codeOf({ source }))
    return imports.some(({ type }) => type !== 'import-meta')
  } catch {
    return true
  }
}
