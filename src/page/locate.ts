import type { Boot } from './context.js'

/**
 * Makes what finds the listed file that an absolute URL means. A query or a fragment is nothing that a file's bytes
 * depend on, and a host reads an escaped letter as the letter.
 */
export function createLocate({
  manifest,
  toUrl,
}: Pick<Boot, 'manifest' | 'toUrl'>): (href: string) => string | undefined {
  const base = toUrl('')
  return (href) => {
    if (!href.startsWith(base)) return undefined
    try {
      const path = decodeURIComponent(href.replace(/[?#].*$/s, '').slice(base.length))
      return manifest.files.has(path) ? path : undefined
    } catch {
      return undefined
    }
  }
}
