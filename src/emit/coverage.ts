import { SignedImpError } from '../errors.js'
import { runsCode } from './judge.js'
import { findTags } from './tags.js'
import {
  decode,
  isCode,
  isDocument,
  isPage,
  type Output,
  type OutputFile,
  type Uncovered,
} from './output.js'

/** Code in an output that nothing checks before it runs. */
export function findUncovered(output: Output, covered: ReadonlySet<string>): Uncovered[] {
  return [...output.values()].flatMap((file) => {
    const { path, source, fixed = isDocument(path) ? source : undefined } = file
    const found = fixed === undefined ? undefined : reasonAgainstDocument(fixed)
    const reason = found ?? (covered.has(path) ? undefined : reasonAgainstCode(file))
    return reason === undefined ? [] : [{ name: path, reason }]
  })
}

/** Whether a file that no build has made brings code, or may. A page of that kind never starts through a bootstrap. */
export const bringsCode = (path: string, content: Uint8Array): boolean =>
  isCode(path) || isPage(path) || (isDocument(path) && reasonAgainstDocument(content) !== undefined)

/** A script under a prefix, which is one to browsers where a file is XML. */
const prefixedScript = /<[\w.-]+:script\b/i

/** Why a document cannot be copied as it is, if so. */
function reasonAgainstDocument(source: string | Uint8Array): string | undefined {
  const text = decode(source)
  const hasScripts =
    text !== undefined && (findTags(text).some(runsCode) || prefixedScript.test(text))
  if (text !== undefined && !hasScripts) return undefined
  return text === undefined
    ? 'a page that is copied as it is and is not in UTF-8: nobody can tell whether it has scripts'
    : 'a page that is copied as it is: its scripts run unchecked'
}

function reasonAgainstCode({ path, isModule, isEntry, format }: OutputFile): string | undefined {
  if (isModule ? !isEntry : !isCode(path)) return undefined
  if (/\.wasm$/i.test(path))
    return 'WebAssembly that no page or entry would check when it fetches it'
  if (format) return `no import map checks format "${format}": set output.format to "es"`
  return isModule
    ? 'an entry that no page of this build starts: whatever loads it runs it unchecked'
    : 'code that is no module of this build and no worker or worklet that its code names (a shared or service worker, a script from the public folder): nothing checks it when it runs'
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
 * @param checker what checks code where this runs
 * @returns the accepted
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_COVERED` that names every other
 */
export function acceptUncovered(
  uncovered: Uncovered[],
  unverified: readonly string[],
  spell: (names: string[]) => string = spellOption,
  checker = 'page',
): Uncovered[] {
  const isAccepted = ({ name }: Uncovered) => unverified.some((pattern) => matches(pattern, name))
  // Many pages may have the same one.
  const distinct = [...new Map(uncovered.map((item) => [item.name, item])).values()]
  const refused = distinct.filter((item) => !isAccepted(item))
  if (refused.length > 0)
    throw new SignedImpError(
      'ERR_SIGNEDIMP_NOT_COVERED',
      `this build has code that no ${checker} would check:\n${refused.map(({ name, reason }) => `  ${name}: ${reason}`).join('\n')}\nRemove it, or accept it by name: ${spell(refused.map(({ name }) => `'${name}'`))}`,
    )
  return distinct
}

const spellOption = (names: string[]): string => `unverified: [${names.join(', ')}]`

/** The same on a command line. */
export const spellFlags = (names: string[]): string =>
  names.map((name) => `--unverified ${name}`).join(' ')
