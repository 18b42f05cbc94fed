import type { BuildOptions } from './types.js'

// esbuild hands plugins the object that its user gave, who may give it again.

/** Under it, altered options carry what they were before, also into copies: esbuild reads names that are texts only. */
const asGiven = Symbol('signedimp: options as they were given')
const altered = ['footer', 'metafile', 'write'] as const

type Original = Pick<BuildOptions, (typeof altered)[number]>
type Altered = BuildOptions & { [asGiven]?: Original | undefined }

/** The options as they were given, even while another build alters them. */
export const originalOf = ({ [asGiven]: original, ...options }: Altered): BuildOptions => ({
  ...options,
  ...original,
})

/**
 * Has esbuild hand over its files and the metafile in place of writing them, with a mark at the end of each chunk.
 * @returns what a later hook calls, when esbuild has read the options: it gives them back as they were, and tells which
 *   of them other plugins have changed since
 */
export function alterOptions(options: Altered, mark: string): () => string[] {
  const { footer, metafile, write } = originalOf(options)
  const original = { footer, metafile, write }
  options[asGiven] = original
  const given = footer?.['js']
  options.footer = { ...footer, js: given ? `${given}\n${mark}` : mark }
  options.write = false
  options.metafile = true
  const before = held.map((name) => JSON.stringify(options[name]))
  return () => {
    // By now another build may have altered them, for which their owner may have changed them before: it gives them back.
    if (options[asGiven] !== original) return []
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

function giveBack(options: Altered, original: Original): void {
  for (const name of altered) delete options[name]
  for (const [name, value] of Object.entries(original))
    if (value !== undefined) Object.assign(options, { [name]: value })
  delete options[asGiven]
}

/** Whether options are a copy of altered ones that lost what they were before, as by way of JSON. */
export const isCopy = (options: Altered, mark: string): boolean =>
  !options[asGiven] && (options.footer?.['js']?.includes(mark) ?? false)
