import { hex } from '../crypto/bytes.js'
import { SignedImpError } from '../errors.js'
import { refusal } from '../manifest/refusal.js'
import { findBlankLine } from '../manifest/verify.js'
import type { Boot, Mapped } from './context.js'
import type { Manifest } from '../manifest/format.js'
import { isModulePath } from '../manifest/path.js'
import { closureOf } from '../manifest/linking.js'
import { notEnforceable } from './refuse.js'

/**
 * Makes sure that the browser resolves a module, and all that it imports statically, to what the map checks.
 * @returns their paths, the module's own first
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE`, `ERR_SIGNEDIMP_UNLISTED`
 */
export type Prove = (path: string) => Set<string>

/**
 * Makes sure that what is not listed means nothing to the browser. An earlier load can make an engine drop a rule of
 * the map without a word; then an unlisted URL resolves.
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE`
 */
export function proveDenied({ toUrl, salt, resolve }: Mapped): void {
  for (const root of ['http://', 'https://', location.href, toUrl('-')]) {
    try {
      resolve(root + salt.slice(1))
    } catch {
      continue
    }
    throw notEnforceable('an earlier module')
  }
}

/**
 * Makes sure that the manifest is the one that the page was built with, which is named by its signed text. Others that
 * are signed for this app list other files: older ones, say, to which a redirect could turn an import.
 * @throws SignedImpError `ERR_SIGNEDIMP_MANIFEST_INVALID`
 */
export async function proveNamed({ verifier, stored, url }: Boot): Promise<void> {
  const text = stored.subarray(findBlankLine(stored) + 1)
  const id = hex(await verifier.digest('sha256', text)).slice(0, 16)
  // Of the file, for where an entry's folder is, is the server's word.
  if (!url.slice(url.lastIndexOf('/')).includes(`.${id}.`))
    throw refusal('MANIFEST_INVALID', 'signed, but not the one that this page names', url)
}

/**
 * A listed module and all that it imports statically, itself first.
 * @throws SignedImpError `ERR_SIGNEDIMP_UNLISTED`
 */
export function listedClosure({ files, imports }: Manifest, path: string): Set<string> {
  if (!files.has(path))
    throw new SignedImpError('ERR_SIGNEDIMP_UNLISTED', 'the manifest does not list it', { path })
  return closureOf(imports, path)
}

/** Each module is asked for once: an engine may take long over a large map. Rules are dropped when a map is added, not later. */
export function createProve({ manifest, toUrl, salt, resolve, key = '' }: Mapped): Prove {
  const proven = new Set<string>()
  return (path) => {
    const closure = listedClosure(manifest, path)
    for (const file of closure) {
      if (proven.has(file)) continue
      const url = toUrl(file)
      // A stylesheet keeps its URL, which tags load it by, too.
      const meant = isModulePath(file) ? url + salt : url
      if ([url, url + key].some((name) => resolve(name) !== meant))
        throw notEnforceable(
          'it was loaded before the import map; remove modulepreload tags and Link headers',
          file,
        )
      proven.add(file)
    }
    return closure
  }
}
