import { createHash } from 'node:crypto'
import { escapeRegExp } from '../escape-reg-exp.js'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const hashLength = 8

/**
 * Path of an entry whose file becomes a bootstrap: where its name has esbuild's hash of the code, another hash stands
 * there, of that one and of the release, for a bootstrap's text depends on both.
 * @param entryNames esbuild's pattern, such as `[dir]/[name]-[hash]`
 * @param release a digest, of what bootstraps say of the release
 */
export function renameByRelease(path: string, entryNames: string, release: string): string {
  const [, before, hash, after] = toPattern(entryNames)?.exec(path) ?? []
  return hash === undefined ? path : before + rehash(hash, release) + after!
}

const anyHash = `[A-Z2-7]{${hashLength}}`

/** What paths look like that follow the pattern, in three parts: the middle one is the last hash. */
function toPattern(entryNames: string): RegExp | undefined {
  const pattern = entryNames.replaceAll('\\', '/').replace(/^(\.?\/)+/, '')
  const at = pattern.lastIndexOf('[hash]')
  if (at < 0) return undefined
  const [before, after] = [pattern.slice(0, at), pattern.slice(at + '[hash]'.length)].map(toSource)
  return new RegExp(`^(${before})(${anyHash})(${after}\\.[^/]+)$`)
}

/** A folder that a pattern names may be none. */
const toSource = (pattern: string): string =>
  pattern
    .split(/(\[dir\]\/|\[\w+\])/)
    .map((part) => sources[part] ?? escapeRegExp(part))
    .join('')

const sources: Record<string, string> = {
  '[dir]/': '(?:.*/)?',
  '[dir]': '.*',
  '[name]': '[^/]+',
  '[ext]': '[^/]+',
  '[hash]': anyHash,
}

/** In the alphabet of esbuild's hashes (RFC 4648, section 6). */
const rehash = (hash: string, release: string): string =>
  [...createHash('sha256').update(`${hash} ${release}`).digest().subarray(0, hashLength)]
    .map((byte) => alphabet[byte % alphabet.length])
    .join('')
