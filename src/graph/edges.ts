/** What the text of a file says that it loads. */
import { isPage } from '../emit/output.js'
import { findTags, type Tag } from '../emit/tags.js'
import { unwrapImports } from '../emit/unwrap.js'
import { unmarkUtf8 } from '../emit/rewrite.js'
import { readImports } from '../seal/lexer.js'
import type { Find } from './find.js'

/**
 * How a file loads another: by a static import, by `import()`, by a tag of a page, or in a way that is not known: its
 * text names the other, as it names workers and images.
 */
export type Way = 'static' | 'dynamic' | 'page' | 'text'

/** A file that another one loads. */
export interface Edge {
  path: string
  way: Way
}

/** What a file loads. */
export interface Loads {
  edges: Edge[]
  /** Whether it imports something that only its run tells. */
  isOpen: boolean
}

/** Whether a path names a script. */
export const isScript = (path: string): boolean => /\.[cm]?js$/.test(path)

/** Reads what a page or a script loads, as far as its text says it. */
export async function readEdges(path: string, text: string, find: Find): Promise<Loads> {
  if (!isPage(path) && !isScript(path)) return { edges: [], isOpen: false }
  if (isPage(path)) return { edges: edgesOfPage(path, text, find), isOpen: false }
  const imports = await readImports(unwrapImports(unmarkUtf8(text)))
  const edges = (imports?.named ?? []).flatMap(({ specifier, isLazy }): Edge[] => {
    const to = find.specifier(path, specifier)
    return to === undefined ? [] : [{ path: to, way: isLazy ? 'dynamic' : 'static' }]
  })
  return { edges, isOpen: imports?.isOpen ?? false }
}

function edgesOfPage(path: string, html: string, find: Find): Edge[] {
  const references = findTags(html).flatMap((tag) => [
    ...entriesOf(tag).map((entry) => find.path(entry)),
    ...referencesOf(tag).map((reference) => find.reference(path, reference)),
  ])
  return references.flatMap((to): Edge[] => (to === undefined ? [] : [{ path: to, way: 'page' }]))
}

/** Entries that a page starts through the bootstrap. */
function entriesOf({ attributes }: Tag): string[] {
  const listed = attributes.get('data-entry')?.split(' ') ?? []
  try {
    return listed.map(decodeURIComponent)
  } catch {
    return []
  }
}

function referencesOf({ name, attributes }: Tag): string[] {
  const isStyle = /(^|\s)stylesheet(\s|$)/i.test(attributes.get('rel') ?? '')
  const attribute = { script: 'src', link: isStyle ? 'href' : '' }[name as string] ?? ''
  return [attributes.get(attribute) ?? []].flat()
}

/** Files whose names stand in a text, wherever: as texts of code have those of workers, or stylesheets those of images. */
export const namedIn = (text: string, find: Find): string[] => [
  ...new Set((text.match(/[^\s"'`()<>[\]{},;:=|?#]+\.\w+/g) ?? []).flatMap(find.named)),
]
