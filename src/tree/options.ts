import { fileURLToPath } from 'node:url'
import { isPath } from '../manifest/path.js'

/** What an option's value must be, and how to say so. */
export type Rule = [expected: string, holds: (value: unknown) => boolean]

/** The rule of the option that names the manifest: its folder is the base, so it is no path through others. */
export const manifestRule: Rule = [
  'a file name without folders',
  (value) => typeof value === 'string' && isPath(value) && !value.includes('/'),
]

/** The rule of options that carry a build. */
export const buildRule: Rule = [
  'a whole number of at least 0',
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
]

/** The rule of options that are called back. */
export const functionRule: Rule = ['a function', (value) => typeof value === 'function']

/**
 * Refuses options that nobody knows, and values that are not what they should be; `undefined` is an option not given.
 * @throws TypeError that names the option
 */
export function checkOptions(options: object, rules: Record<string, Rule>): void {
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (!rule)
      throw new TypeError(`"${name}" is no option; there are ${Object.keys(rules).join(', ')}`)
    const [expected, holds] = rule
    if (value !== undefined && !holds(value))
      throw new TypeError(`"${name}" must be ${expected}, got ${describe(value)}`)
  }
}

const describe = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? JSON.stringify(value) : typeof value

/**
 * Path of a folder that a caller names.
 * @throws TypeError when there is none: an empty path would mean the working directory
 */
export function folderPath(dir: string | URL): string {
  if (dir instanceof URL) return fileURLToPath(dir)
  if (typeof dir === 'string' && dir !== '') return dir
  throw new TypeError(`"dir" must be the path or file URL of a folder, got ${describe(dir)}`)
}
