/** Names of the files that hold manifests. */
import { isPath } from './path.js'

/** The manifest of a whole output, at its root. */
export const defaultManifestName = 'signedimp-manifest.txt'

/** What backends write into their pages, by entry, at the root of an output. */
export const backendList = 'signedimp-pages.json'

/** Stands there where a backend puts the nonce of a page. */
export const nonceSlot = 'SIGNEDIMP_NONCE'

const idLength = 16

const split = (manifestName: string): [stem: string, extension: string] => {
  const dot = manifestName.lastIndexOf('.')
  return dot < 0 ? [manifestName, ''] : [manifestName.slice(0, dot), manifestName.slice(dot)]
}

/** Name of the page manifest whose signed text has this SHA-256 (hex): it changes with what it lists, so it can be cached for ever. */
export function pageManifestName(manifestName: string, signedTextHash: string): string {
  const [stem, extension] = split(manifestName)
  return `${stem}.${signedTextHash.slice(0, idLength)}${extension}`
}

/** Whether a path is the manifest or one of its page manifests, which vouch for themselves and are listed nowhere. */
export function isManifestOf(manifestName: string, path: string): boolean {
  if (path === manifestName) return true
  const [stem, extension] = split(manifestName)
  const id = path.slice(stem.length + 1, path.length - extension.length)
  return path === `${stem}.${id}${extension}` && /^[0-9a-f]{16}$/.test(id)
}

/** Whether a text can name the manifest of a folder: a file at its root, with a path's spelling. */
export const isManifestName = (name: string): boolean => isPath(name) && !name.includes('/')
