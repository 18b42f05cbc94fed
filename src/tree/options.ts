import { fileURLToPath } from 'node:url'
import { describe } from '../manifest/options.js'

/** What an argument names. */
const kinds = { dir: 'a folder', file: 'a zip file' }

/**
 * Path of a folder or a zip file that a caller names.
 * @throws TypeError when there is none: an empty path would mean the working directory
 */
export function containerPath(path: string | URL, argument: keyof typeof kinds): string {
  if (path instanceof URL) return fileURLToPath(path)
  if (typeof path === 'string' && path !== '') return path
  throw new TypeError(
    `"${argument}" must be the path or file URL of ${kinds[argument]}, got ${describe(path)}`,
  )
}
