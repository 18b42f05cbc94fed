import { SignedImpError } from '../errors.js'
import { runsCode } from './judge.js'
import { findTags } from './tags.js'
import { isCode, isDocument, textOf, type Output, type Uncovered } from './output.js'

/** Code in an output that nothing checks before it runs. */
export function findUncovered(output: Output, covered: ReadonlySet<string>): Uncovered[] {
  return [...output.values()].flatMap((file) => {
    const { path, isModule, isEntry, fixed, format } = file
    const copied = fixed ?? (isDocument(path) ? textOf(file) : '')
    if (copied && findTags(copied).some(runsCode))
      return [{ name: path, reason: 'a page that is copied as it is: its scripts run unchecked' }]
    if (covered.has(path) || !(isModule || isCode(path))) return []
    if (isModule && !isEntry) return []
    if (format)
      return [
        {
          name: path,
          reason: `no import map checks format "${format}": set output.format to "es"`,
        },
      ]
    const reason = isModule
      ? 'an entry that no page of this build starts: whatever loads it runs it unchecked'
      : 'code that is no module of this build (a worker, WebAssembly, a service worker, a script from the public folder): nothing checks it when it runs'
    return [{ name: path, reason }]
  })
}

/** Whether a pattern of `unverified` names a path or URL: in it, `*` stands for any characters but `/`. */
export function matches(pattern: string, name: string): boolean {
  const [patterns, names] = [pattern.split('/'), name.split('/')]
  return (
    patterns.length === names.length &&
    patterns.every((part, at) => matchesSegment(part.split('*'), names[at]!))
  )
}

/** Whether a pattern can name something: a segment with a star must still have two letters or digits in a row, beside its extension. */
export const isPattern = (pattern: string): boolean =>
  pattern
    .split('/')
    .every(
      (segment) =>
        !segment.includes('*') || /[\p{L}\p{N}]{2}/u.test(segment.replace(/\.[^.*]*$/, '')),
    )

/** In time that grows with the lengths, unlike a regular expression's. */
function matchesSegment([first = '', ...rest]: string[], text: string): boolean {
  const last = rest.pop()
  if (last === undefined) return text === first
  const end = text.length - last.length
  if (!text.startsWith(first) || !text.endsWith(last) || first.length > end) return false
  let at = first.length
  return rest.every((part) => {
    const found = text.indexOf(part, at)
    at = found + part.length
    return found >= 0 && at <= end
  })
}

/**
 * Lets pass what `unverified` names.
 * @param spell how to accept these names where the names in `unverified` come from
 * @returns the accepted
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_COVERED` that names every other
 */
export function acceptUncovered(
  uncovered: Uncovered[],
  unverified: readonly string[],
  spell: (names: string[]) => string = spellOption,
): Uncovered[] {
  const isAccepted = ({ name }: Uncovered) => unverified.some((pattern) => matches(pattern, name))
  const refused = uncovered.filter((item) => !isAccepted(item))
  if (refused.length > 0)
    throw new SignedImpError(
      'ERR_SIGNEDIMP_NOT_COVERED',
      `this build has code that no page would check:\n${refused.map(({ name, reason }) => `  ${name}: ${reason}`).join('\n')}\nRemove it, or accept it by name: ${spell(refused.map(({ name }) => `'${name}'`))}`,
    )
  return uncovered
}

const spellOption = (names: string[]): string => `unverified: [${names.join(', ')}]`
