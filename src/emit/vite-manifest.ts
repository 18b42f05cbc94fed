import type { Changes } from './changes.js'
import { textOf, type Output } from './output.js'
import type { StartedEntry } from './start.js'

/** A chunk in the list that Vite writes for backends (`build.manifest`), as far as we change it. */
interface ListedChunk {
  file: string
  imports?: string[]
  css?: string[]
  integrity?: string
}

/**
 * Makes Vite's list for backends say what entries now are: their files import nothing that a tag could load early,
 * unchecked; their stylesheets are those of what they imported; and tags can carry their integrity.
 * @param hidden paths of entries that only a bootstrap may start: a tag that names one finds nothing
 */
export function editViteManifest(
  output: Output,
  path: string | undefined,
  entries: readonly StartedEntry[],
  hidden: readonly string[],
  { change }: Changes,
): void {
  const file = path === undefined ? undefined : output.get(path)
  if (!file || entries.length + hidden.length === 0) return
  const chunks = JSON.parse(textOf(file)) as Record<string, ListedChunk>
  const shown = Object.entries(chunks).filter(([, chunk]) => !hidden.includes(chunk.file))
  const edited = shown.map(([name, chunk]) => {
    const entry = entries.find((started) => started.path === chunk.file)
    return [name, entry ? editChunk(chunk, chunks, entry) : chunk]
  })
  change(file.path, JSON.stringify(Object.fromEntries(edited), undefined, 2))
}

function editChunk(
  { imports = [], ...chunk }: ListedChunk,
  chunks: Record<string, ListedChunk>,
  { integrity }: StartedEntry,
): ListedChunk {
  const css = stylesOf({ imports, ...chunk }, chunks)
  return { ...chunk, ...(css.length > 0 ? { css } : {}), integrity }
}

/** Stylesheets of a chunk and of all that it imports statically, its own first. */
function stylesOf(chunk: ListedChunk, chunks: Record<string, ListedChunk>): string[] {
  const all = new Set([chunk])
  for (const { imports = [] } of all) for (const name of imports) all.add(chunks[name]!)
  return [...new Set([...all].flatMap(({ css = [] }) => css))]
}
