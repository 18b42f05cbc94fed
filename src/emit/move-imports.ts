import type { Import } from 'es-module-lexer'
import type { ModuleImport } from './rewrite.js'

/** An absolute spelling of a static import's specifier, if it is to have one. */
export type ToWhole = (item: { specifier: string }) => string | undefined

/** Static imports that stand last in a module, in their order: there their new length moves nothing. */
export interface MovedImports {
  /** Those that stay where they are. */
  left: Import[]
  /** What the others leave behind. */
  ranges: (readonly [start: number, end: number, text: string])[]
  /** What they are now, to be joined by semicolons. */
  declarations: string[]
  /** Where they stand, if the first one stands at `from`. They keep the specifier that means them in the output. */
  locate(from: number): ModuleImport[]
}

/** Moves those of a module's static imports that are to be spelled anew. */
export function moveImports(
  code: string,
  imports: readonly Import[],
  toWhole: ToWhole,
): MovedImports {
  const moved = imports.flatMap((item) => {
    const specifier = item.specifier!
    const whole = toWhole({ specifier })
    return whole === undefined ? [] : [{ item, specifier, ...respell(code, item, whole) }]
  })
  const isMoved = new Set(moved.map(({ item }) => item))
  return {
    left: imports.filter((item) => !isMoved.has(item)),
    ranges: moved.map(({ item }) => [item.importStart, item.importEnd, ';']),
    declarations: moved.map(({ text }) => text),
    locate(from) {
      let at = from
      return moved.map(({ text, specifier, start, end }) => {
        const declaration = at
        at += text.length + ';'.length
        return { specifier, declaration, start: declaration + start, end: declaration + end }
      })
    },
  }
}

/** The text of a declaration, and where in it the specifier stands. Quotes in URLs are single ones. */
function respell(code: string, { importStart, importEnd, start, end }: Import, whole: string) {
  const before = code.slice(importStart, start - 1) + '"'
  const text = `${before}${whole}"${code.slice(end + 1, importEnd)}`
  return { text, start: before.length, end: before.length + whole.length }
}
