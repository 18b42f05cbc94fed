/** Options of functions: what each must be, and how a caller is told. */
import { isManifestName } from './names.js'
import { isSafeText } from './path.js'

/** What an option's value must be, and how to say so. */
export type Rule = [expected: string, holds: (value: unknown) => boolean]

/** The rule of the option that names the manifest: its folder is the base, so it is no path through others. */
export const manifestRule: Rule = [
  'a file name without folders',
  (value) => typeof value === 'string' && isManifestName(value),
]

/** The rule of options that carry a build. */
export const buildRule: Rule = [
  'a whole number of at least 0',
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
]

/** The rule of options that name an app. */
export const nameRule: Rule = [
  'NFC text without control or direction characters',
  (value) => typeof value === 'string' && isSafeText(value),
]

/** Whether the highest build is remembered: nothing starts without storage, or all does that has none. */
export type Remember = true | 'if-possible'

/** The rule of options that say so, or `false`. */
export const rememberRule: Rule = [
  "true, false or 'if-possible'",
  (value) => typeof value === 'boolean' || value === 'if-possible',
]

/** The rule of options that are called back. */
export const functionRule: Rule = ['a function', (value) => typeof value === 'function']

const here = 'https://page.invalid'

/** In the spelling of URLs, so that it is the address that it seems to be: a page takes `/\\host` for another host. */
const isAddress = (text: string): boolean => {
  if (!/^(https:\/)?\//.test(text)) return false
  try {
    const { href, username, password, hash } = new URL(text, here)
    return [text, `${text}/`, here + text].includes(href) && !(username || password || hash)
  } catch {
    return false
  }
}

/** The rule of options that say where reports go. */
export const addressRule: Rule = [
  'an https: URL or a path that begins with one slash, spelled as in an address bar',
  (value) => typeof value === 'string' && isAddress(value),
]

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

/** What came, in a word. */
export const describe = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? JSON.stringify(value) : typeof value
