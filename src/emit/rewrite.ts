import { init, parse, type Export, type Import } from 'es-module-lexer'
import { SignedImpError } from '../errors.js'
import { insertLast } from '../manifest/linking.js'
import { moveImports, type ToWhole } from './move-imports.js'
import { findPreloads, type Preloads } from './vite-preload.js'

/** Changes with every change of what {@link rewriteModule} writes. */
export const rewriterVersion = 'signedimp-rewriter-2'

/** The same for programs, whose modules only name main chunks in the place of entries. */
export const programVersion = 'signedimp-program-1'

/** What modules are written for, as far as it changes them. */
export interface RewrittenFor {
  hasPages: boolean
  tags: boolean
  base: string
}

/** Is part of every script's file name, so that the same name never stands for other bytes. */
export function rewriteVersion({ hasPages, tags, base }: RewrittenFor): string {
  if (!hasPages) return `${rewriterVersion}-alias`
  return tags ? `${rewriterVersion}-below-${encodeURIComponent(base)}` : rewriterVersion
}

/** A static import as the text spells it; the offsets are UTF-16 units in the text without its byte order mark. */
export interface ModuleImport {
  start: number
  end: number
  specifier: string
  /** Where the declaration or the call begins. */
  declaration: number
}

/** A module made ready to be listed. */
export interface RewrittenModule {
  code: string
  imports: ModuleImport[]
  /** What its own names are exported as. */
  locals: Map<string, string>
  /** Names that it exports; `*` where it also hands on all of another module. */
  exports: string[]
  /** What it imports with `import()`, as far as the text says it, and whether some of it is only known later. */
  lazy: { specifiers: string[]; isOpen: boolean }
  preloads: Preloads
}

/** Another spelling of a specifier, as long as the one that is there, or the same. */
export type Respell = (item: ModuleImport, isStatic: boolean) => string

/**
 * Makes `import()`, `import.meta` and the links of Vite's helper go through the page's registry. Calls keep their length and
 * the helpers stand at the end, and static imports that get longer names, so nothing else moves and source maps stay true.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on syntax that cannot be kept
 */
export async function rewriteModule(
  path: string,
  source: string,
  respell: Respell = ({ specifier }) => specifier,
  toWhole: ToWhole = () => undefined,
): Promise<RewrittenModule> {
  await init()
  const code = unmarkUtf8(source)
  const [found, exports] = lex(path, code)
  for (const item of found) refusePhase(path, item)
  const dynamic = found.filter(({ type }) => type === 'dynamic')
  const metas = found.filter(({ type }) => type === 'import-meta')
  const wrapper = freeName(code, '_simp', 'import'.length)
  const meta = freeName(code, '_simpmeta', 'import.meta'.length - '()'.length)
  const preloads = findPreloads(code)
  const link = freeName(code, '_simplink', '_simplink'.length)
  for (const { start } of metas) refuseNew(path, code, start)
  const moved = moveImports(code, found.filter(isStatic), toWhole)
  const imports = moved.left.map(toImport)
  const lazy = dynamic.filter((item) => isLiteral(code, item)).map(toLazyImport)

  const replaced = replaceAll(code, [
    ...imports.flatMap((item) => spell(item, respell(item, true))),
    ...moved.ranges,
    ...lazy.flatMap((item) => spell(item, respell(item, false))),
    ...dynamic.map(({ importStart: at }) => [at, at + wrapper.length, wrapper] as const),
    ...metas.map(({ importStart, importEnd }) => [importStart, importEnd, meta + '()'] as const),
    ...preloads.calls.map(([start, end]) => [start, end, link] as const),
  ])
  const own = toAscii(JSON.stringify(path))
  const last = [
    ...moved.declarations,
    ...(dynamic.length ? [`function ${wrapper}(s,o){return __signedimp.import(${own},s,o)}`] : []),
    ...(metas.length ? [`function ${meta}(){return __signedimp.meta(${own})}`] : []),
    ...(preloads.calls.length ? [`function ${link}(l){return __signedimp.link(l)}`] : []),
  ]
  const line = last.join(';')
  const text = last.length ? insertLast(replaced, line) : replaced
  return {
    code: markUtf8(text),
    imports: [...imports, ...moved.locate(text.lastIndexOf(line))],
    ...namesOf(exports),
    lazy: {
      specifiers: lazy.map(({ specifier }) => specifier),
      isOpen: lazy.length < dynamic.length,
    },
    preloads,
  }
}

const namesOf = (exports: readonly Export[]): Pick<RewrittenModule, 'locals' | 'exports'> => ({
  locals: new Map(
    exports.flatMap((item) =>
      item.type === 'direct' && item.localName ? [[item.localName, item.name]] : [],
    ),
  ),
  exports: exports.map((item) => ('name' in item ? item.name : '*')),
})

/** What a module imports by texts, and exports. */
export interface ReadModule extends Pick<RewrittenModule, 'locals' | 'exports'> {
  imports: ModuleImport[]
}

/**
 * Reads a module that stays as it is.
 * @param code without a byte order mark
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on what is no module
 */
export async function readModule(path: string, code: string): Promise<ReadModule> {
  await init()
  const [found, exports] = lex(path, code)
  const lazy = found.filter((item) => item.type === 'dynamic' && isLiteral(code, item))
  const imports = [...found.filter(isStatic).map(toImport), ...lazy.map(toLazyImport)]
  return { imports, ...namesOf(exports) }
}

const spell = ({ start, end, specifier }: ModuleImport, other: string) =>
  other === specifier ? [] : [[start, end, other] as const]

const toImport = ({ start, end, specifier, importStart }: Import): ModuleImport => ({
  start,
  end,
  specifier: specifier!,
  declaration: importStart,
})

/** In `import()` the offsets are those of an expression, quotes included. */
const toLazyImport = (item: Import): ModuleImport => ({
  ...toImport(item),
  start: item.start + 1,
  end: item.end - 1,
})

const isLiteral = (code: string, { start, end, specifier }: Import): boolean =>
  specifier !== undefined && specifier === code.slice(start + 1, end - 1)

/** Puts names in place of ranges, each as long as its range: what a name leaves over is blank but for line breaks. */
export function replaceAll(
  code: string,
  ranges: (readonly [start: number, end: number, name: string])[],
): string {
  let at = 0
  let text = ''
  for (const [start, end, name] of ranges.sort(([a], [b]) => a - b)) {
    const breaks = code.slice(start, end).replace(/[^\n\r\u2028\u2029]/g, '')
    text += code.slice(at, start) + name + breaks.padEnd(end - start - name.length)
    at = end
  }
  return text + code.slice(at)
}

function lex(path: string, code: string): ReturnType<typeof parse> {
  try {
    return parse(code, path)
  } catch (cause) {
    throw new SignedImpError(
      'ERR_SIGNEDIMP_OUTPUT',
      'is no ES module that can be read; set output.format to "es"',
      { path, cause },
    )
  }
}

const isStatic = ({ type }: Import): boolean => /^(static|reexport)/.test(type)

/** A name of `length` characters that the code does not contain, not even in a string. */
function freeName(code: string, stem: string, length: number): string {
  for (let n = 0; ; n++) {
    const suffix = n === 0 ? '' : n.toString(36)
    const name = stem.slice(0, length - suffix.length).padEnd(length - suffix.length, '_') + suffix
    if (!code.includes(name)) return name
  }
}

function refusePhase(path: string, item: Import): void {
  if ('phase' in item && item.phase)
    throw new SignedImpError(
      'ERR_SIGNEDIMP_OUTPUT',
      `uses import.${item.phase}, which cannot be checked`,
      { path },
    )
}

/** A call in place of `import.meta` would bind to `new` first. */
function refuseNew(path: string, code: string, start: number): void {
  if (/\bnew(\s|\/\*[^]*?\*\/|\/\/.*\n)*$/.test(code.slice(Math.max(0, start - 200), start)))
    throw new SignedImpError(
      'ERR_SIGNEDIMP_OUTPUT',
      'constructs a property of import.meta; put it in a variable first',
      { path },
    )
}

/** A text of JavaScript in ASCII, whatever charset a server says. */
export const toAscii = (text: string): string =>
  text.replace(
    /[\u007f-\uffff]/g,
    (unit) => '\\u' + unit.charCodeAt(0).toString(16).padStart(4, '0'),
  )

/** Whether a text is a System.register module, which some bundler plugins call "es". */
export async function isSystemModule(path: string, code: string): Promise<boolean> {
  if (!code.includes('System.register(')) return false
  await init()
  const [, , , hasModuleSyntax] = lex(path, code)
  return !hasModuleSyntax
}

/** Chromium decodes a script by the server's charset, whatever that is, unless it starts with a byte order mark. */
export const markUtf8 = (code: string): string =>
  code.startsWith('\ufeff') ? code : '\ufeff' + code

/** A text without the mark of {@link markUtf8}: offsets in modules count from behind it. */
export const unmarkUtf8 = (code: string): string => code.replace(/^\ufeff/, '')
