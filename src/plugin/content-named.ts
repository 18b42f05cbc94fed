import { escapeRegExp } from './escape-reg-exp.js'
import type { BundleFile, OutputOptions } from './types.js'

/**
 * Whether the bundler put a hash of what a file holds into its name. Rollup and Rolldown tell of chunks; of assets there
 * is the pattern, if it is one, and what they were to be called: those with a fixed name were to be called nothing.
 */
export function isContentNamed(
  { type, fileName, preliminaryFileName = '', names = [] }: BundleFile,
  { assetFileNames }: OutputOptions,
): boolean {
  if (type === 'chunk') return /!~\{\w+\}~/.test(preliminaryFileName)
  if (typeof assetFileNames !== 'string' || !/\[hash(:\d+)?\]/.test(assetFileNames)) return false
  return names.some((name) => toPattern(assetFileNames, name).test(fileName))
}

/** What an asset's path looks like that got its name by the pattern. */
function toPattern(assetFileNames: string, name: string): RegExp {
  const [, stem = '', extension = ''] = /^(?:.*\/)?(.*?)(\.[^.]*)?$/s.exec(name) ?? []
  const parts = assetFileNames.split(/(\[\w+(?::\d+)?\])/).map((part) => {
    if (part.startsWith('[hash')) return '[\\w-]{6,}'
    const known: Record<string, string> = {
      '[name]': stem,
      '[ext]': extension.slice(1),
      '[extname]': extension,
    }
    return escapeRegExp(known[part] ?? part)
  })
  return new RegExp(`^${parts.join('')}$`)
}
