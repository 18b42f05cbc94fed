import type { BuildOptions } from './types.js'

// esbuild hands plugins the object that its user gave, who may give it again.

/** What options were before they were altered. */
const originals = new WeakMap<BuildOptions, Original>()
const altered = ['footer', 'metafile', 'write'] as const

type Original = Pick<BuildOptions, (typeof altered)[number]>

/** The options as they were given, even while another build alters them. */
export const originalOf = (options: BuildOptions): BuildOptions => ({
  ...options,
  ...originals.get(options),
})

/**
 * Has esbuild hand over its files and the metafile in place of writing them, with a mark at the end of each chunk.
 * @returns what a later hook calls, when esbuild has read the options: it gives them back as they were, and tells which
 *   of them other plugins have changed since
 */
export function alterOptions(options: BuildOptions, mark: string): () => string[] {
  const { footer, metafile, write } = originalOf(options)
  const original = { footer, metafile, write }
  originals.set(options, original)
  const given = footer?.['js']
  options.footer = { ...footer, js: given ? `${given}\n${mark}` : mark }
  options.write = false
  options.metafile = true
  const before = held.map((name) => JSON.stringify(options[name]))
  return () => {
    // By now another build may have altered them, for which their owner may have changed them before: it gives them back.
    if (originals.get(options) !== original) return []
    const changed = held.filter((name, at) => JSON.stringify(options[name]) !== before[at])
    const lost = findLost(options, mark)
    giveBack(options, original)
    return [...changed, ...lost]
  }
}

/** What was read of them holds for all builds of a session. */
const held = [
  'absWorkingDir',
  'bundle',
  'entryNames',
  'entryPoints',
  'format',
  'outdir',
  'outfile',
  'platform',
  'publicPath',
  'stdin',
] as const

const findLost = ({ footer, metafile, write }: BuildOptions, mark: string): string[] => [
  ...(footer?.['js']?.includes(mark) ? [] : ['footer']),
  ...(metafile === true ? [] : ['metafile']),
  ...(write === false ? [] : ['write']),
]

function giveBack(options: BuildOptions, original: Original): void {
  for (const name of altered) delete options[name]
  for (const [name, value] of Object.entries(original))
    if (value !== undefined) Object.assign(options, { [name]: value })
  originals.delete(options)
}

/** Whether options are a copy of altered ones: what they were before, nobody can tell. */
export const isCopy = (options: BuildOptions, mark: string): boolean =>
  !originals.has(options) && (options.footer?.['js']?.includes(mark) ?? false)
