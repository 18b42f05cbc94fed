/** Scripts that no bundler linked: `?url` and `new URL` copy them, and a package then starts a worker by what names them. */
import { init, parse } from 'es-module-lexer'
import { lastSegment } from './graph.js'
import { codeOf, decode, isPage, type Output, type OutputFile } from './output.js'

/** What the text of a script of a worker or a worklet says, and hardly any other's. */
const inWorkers = /\b(?:postMessage|onmessage|registerProcessor|registerPaint)\b/

/** What the text of a script says that other things run. */
const elsewhere = /\b(?:skipWaiting|onconnect|onfetch)\b/

/** The same, of what has no syntax of modules: the names of events that only service and shared workers get. */
const events = /["'`](?:fetch|install|activate|connect)["'`]/

/** What a script says that may run in a page: there a tag would load it, which nothing checks. */
const inPages = /\b(?:document|window)\b/

/** A script as it was copied. */
export interface RawScript {
  path: string
  /** Whether only what runs modules can run it: a worker, `import()`, a module tag; each is checked. */
  isModule: boolean
}

/** Finds what an output has copied that a worker may start by. @param isScript whether a path may be checked at all */
export async function findRaw(
  output: Output,
  isScript: (path: string) => boolean,
): Promise<RawScript[]> {
  await init()
  const files = [...output.values()]
  // What a page's tag loads stays as it was copied: the tag says what becomes of it.
  const pages = files.filter(({ path }) => isPage(path)).map(({ source = '' }) => decode(source))
  const isInPage = (path: string) => pages.some((html) => html?.includes(lastSegment(path)) ?? true)
  return files.flatMap((file) => {
    if (file.isModule || file.format || file.source === undefined || !/\.m?js$/.test(file.path))
      return []
    return isScript(file.path) && !isInPage(file.path) ? judge(file) : []
  })
}

function judge({ path, source }: OutputFile): RawScript | [] {
  const code = codeOf({ source: source! })
  if (!inWorkers.test(code) || elsewhere.test(code)) return []
  try {
    const [imports, , , isModule] = parse(code)
    // A classic script is not written anew, so that nothing would check what it imports.
    const isForWorkers = imports.length === 0 && !events.test(code) && !inPages.test(code)
    return isModule || isForWorkers ? { path, isModule } : []
  } catch {
    return []
  }
}
