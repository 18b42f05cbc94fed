import { hashBytes } from '../crypto/node.js'
import { toIntegrity } from './bootstrap.js'
import type { FixedMap } from './fixed-map.js'
import type { Policy } from './forms.js'
import { declaresUtf8, isAscii } from './html.js'
import { codeInAttributes } from './inline-code.js'
import { runsCode, typeOf } from './judge.js'
import { findElements, findTags, type Element, type Tag } from './tags.js'

/** The Content-Security-Policy that a page works under, or what in it no such policy would let work. */
export type PagePolicy = { policy: string } | { hindrance: string }

/** Some hosts take no longer lines; a reader would not, either. */
const maxLength = 1900

/** The source that stands for whatever an allowed script adds. */
export const strictDynamic = "'strict-dynamic'"

/** What a page's policy must allow beside the scripts that the page names. */
export interface PolicyNeeds {
  /** Whether the output has WebAssembly, which a policy on scripts would forbid to compile. */
  hasWasm: boolean
  /** Whether the output has workers, and all that it may start come from blobs. */
  hasWorkers: boolean
  /** Sources of what its scripts load. */
  trusted: readonly string[]
}

/**
 * Makes a policy of hashes for a finished page: its own scripts, and what they load, run, and no other. It says nothing
 * about what is no script.
 */
export function createPolicy(html: string, needs: PolicyNeeds): PagePolicy {
  const tags = findTags(html)
  const elements = [...findElements(html)].map(([element]) => element)
  const hindrance = findInlineCode(elements) ?? tags.flatMap((tag) => hindranceOf(tag, tags))[0]
  if (hindrance !== undefined) return { hindrance }
  const has = (name: RegExp) => elements.some(({ tagName }) => name.test(tagName))
  const rest = [...(has(/^(object|embed)$/) ? [] : [noObjects]), ...(has(/^base$/) ? [] : [noBase])]
  const write = (sources: string[]) => writePolicy(sources, rest, needs)
  const sources = tags.flatMap(sourcesOf)
  // Where policies go by hosts, they allow preloads by these, too.
  const preloads = needs.trusted.includes(strictDynamic) ? tags.flatMap(preloadsOf) : []
  const [short, whole] = [write(sources), write([...sources, ...preloads])]
  if (short.length > maxLength) return { hindrance: 'more scripts than a header can name' }
  return { policy: whole.length > maxLength ? short : whole }
}

/** Makes a policy for pages that give their scripts a nonce. */
export const createNoncePolicy = (nonce: string, needs: PolicyNeeds): string =>
  writePolicy([`'nonce-${nonce}'`], [noObjects, noBase], needs)

const noObjects = "object-src 'none'"
const noBase = "base-uri 'none'"

const writePolicy = (sources: string[], rest: string[], needs: PolicyNeeds): string =>
  [scriptSrc(sources, needs), ...rest, ...(needs.hasWorkers ? ['worker-src blob:'] : [])].join('; ')

/** What the policy of a page allows beside its own scripts: what these start, or the hosts of modules and the import map. */
export function trustedOf(policy: Policy, fixed: FixedMap | undefined): readonly string[] {
  if (policy === 'strict-dynamic') return [strictDynamic]
  const { hosts = [], hashes = [] } = fixed ?? {}
  return [...hosts, ...hashes]
}

function scriptSrc(sources: string[], { hasWasm, trusted }: PolicyNeeds): string {
  if (sources.length === 0) return "script-src 'none'"
  const wasm = hasWasm ? ["'wasm-unsafe-eval'"] : []
  return ['script-src', ...new Set(sources), ...trusted, ...wasm].join(' ')
}

/** What a policy must name for a tag to run (CSP3, "Script directives"): of a linked script the hashes that its tag checks. */
function sourcesOf(tag: Tag): string[] {
  if (!isScript(tag)) return []
  const { attributes, text } = tag
  if (attributes.has('src')) return integritiesOf(tag)
  return [toSource(toIntegrity('sha256', hashBytes('sha256', text)))]
}

/** Preloads need not run for the page to work; but Chromium takes them for scripts, and would start later without. */
const preloadsOf = (tag: Tag): string[] =>
  tag.name === 'link' && tag.attributes.get('as') === 'script' ? integritiesOf(tag) : []

const isScript = (tag: Tag): boolean =>
  tag.name === 'script' && (runsCode(tag) || typeOf(tag) === 'speculationrules')

const integritiesOf = ({ attributes }: Tag): string[] =>
  [
    ...(attributes.get('integrity') ?? '').matchAll(/(?<![^\s])sha(?:256|384|512)-[\w+/-]+={0,2}/g),
  ].map(([token]) => toSource(token))

const toSource = (integrity: string): string => `'${integrity}'`

function hindranceOf(tag: Tag, tags: Tag[]): string[] {
  const { name, attributes, isSvg, text } = tag
  if (name === 'iframe')
    return isActive(attributes.get('srcdoc') ?? '') ? ['an iframe srcdoc with scripts'] : []
  if (!isScript(tag)) return []
  const reference = attributes.get('src')
  if (typeOf(tag) === 'module') return [`a module script of its own (${reference ?? 'inline'})`]
  if (isSvg && (attributes.has('href') || attributes.has('xlink:href')))
    return ['a script that an image links']
  if (reference !== undefined)
    return integritiesOf(tag).length > 0 ? [] : [`a script without integrity (${reference})`]
  return isAscii(text) || declaresUtf8(tags)
    ? []
    : ['an inline script that is not ASCII, and no <meta charset="utf-8">']
}

const isActive = (html: string): boolean =>
  findTags(html).some(runsCode) ||
  findInlineCode([...findElements(html)].map(([element]) => element)) !== undefined

/** Code that stands in an attribute, for which a policy has no hash that all engines take. */
function findInlineCode(elements: Element[]): string | undefined {
  const { value } = codeInAttributes(elements).next()
  return value && `code in an attribute (<${value.tagName} ${value.attribute}>)`
}
