import { init, parse, type Import } from 'es-module-lexer'

/** What a script imports, as far as its text says it. */
export interface Imports {
  /** Where specifiers stand, without their quotes, and whether in a call of `import()`. */
  named: { start: number; end: number; specifier: string; isLazy: boolean }[]
  /** Where calls of `import()` begin. */
  calls: number[]
  /** Whether it imports something that only its run tells. */
  isOpen: boolean
  /** Whether it has `import.meta`. */
  hasMeta: boolean
  /** Whether it is an ES module by its syntax; one that only does something need not have any. */
  hasSyntax: boolean
}

/** Reads what a text imports. @returns undefined for what is neither a module nor a script */
export async function readImports(code: string): Promise<Imports | undefined> {
  await init()
  try {
    const [items, , , hasSyntax] = parse(code)
    const imports = items.filter(({ type }) => type !== 'import-meta')
    const named = imports.flatMap((item) => locate(item, code))
    return {
      named,
      calls: items.flatMap(({ type, importStart }) => (type === 'dynamic' ? importStart : [])),
      isOpen: named.length < imports.length,
      hasMeta: imports.length < items.length,
      hasSyntax,
    }
  } catch {
    return undefined
  }
}

/** In `import()` the offsets are those of an expression, quotes included. */
function locate({ type, start, end, specifier }: Import, code: string): Imports['named'] {
  if (specifier === undefined || specifier === null) return []
  const isLazy = type === 'dynamic'
  const inset = isLazy ? 1 : 0
  const item = { start: start + inset, end: end - inset, specifier, isLazy }
  return code.slice(item.start, item.end) === specifier ? [item] : []
}
