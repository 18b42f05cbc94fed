import { pathToUrl } from '../manifest/path.js'

/** Finds the file that a text means, where nobody knows below which address the files are. */
export interface Find {
  path(path: string): string | undefined
  /** A specifier of an `import` in the file `from`. A bare one means nothing without an import map. */
  specifier(from: string, specifier: string): string | undefined
  /** A reference in the file `from`, as pages have them. */
  reference(from: string, reference: string): string | undefined
  /** Files that are called as a text ends. */
  named(text: string): string[]
}

const root = 'https://output.invalid/'

/** Finds files among these. */
export function createFind(paths: readonly string[]): Find {
  const byUrl = new Map(paths.map((path) => [pathToUrl(path, root), path]))
  const byName = new Map<string, string[]>()
  for (const path of paths) byName.set(nameOf(path), [...(byName.get(nameOf(path)) ?? []), path])
  const reference = (from: string, text: string) =>
    URL.canParse(text, pathToUrl(from, root))
      ? belowSome(new URL(text, pathToUrl(from, root)), byUrl)
      : undefined
  return {
    path: (path) => byUrl.get(pathToUrl(path, root)),
    reference,
    specifier: (from, text) =>
      /^(\.{0,2}\/|https?:)/i.test(text) ? reference(from, text) : undefined,
    named: (text) => byName.get(nameOf(text)) ?? [],
  }
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** The address may begin with the path of the folder on its host: of that, nothing is known. */
function belowSome({ pathname }: URL, byUrl: ReadonlyMap<string, string>): string | undefined {
  const segments = pathname.slice(1).split('/')
  const tails = segments.map((_, at) => byUrl.get(root + segments.slice(at).join('/')))
  return tails.find((path) => path !== undefined)
}
