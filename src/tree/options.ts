import { fileURLToPath } from 'node:url'
import { describe } from '../manifest/options.js'

/**
 * Path of a folder that a caller names.
 * @throws TypeError when there is none: an empty path would mean the working directory
 */
export function folderPath(dir: string | URL): string {
  if (dir instanceof URL) return fileURLToPath(dir)
  if (typeof dir === 'string' && dir !== '') return dir
  throw new TypeError(`"dir" must be the path or file URL of a folder, got ${describe(dir)}`)
}
