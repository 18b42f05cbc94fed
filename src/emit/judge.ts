import { hashBytes } from '../crypto/node.js'
import { toIntegrity } from './bootstrap.js'
import type { PageContext } from './html.js'
import { isPage, type Uncovered } from './output.js'
import { findTags, type Tag } from './tags.js'

/** What becomes of a tag. `after` is a script that may stay, but only behind the bootstrap; a `map` becomes part of ours. */
export type Action =
  | { kind: 'keep' | 'remove' | 'after' | 'map' }
  | { kind: 'entry' | 'check'; path: string }
  | ({ kind: 'uncovered' } & Uncovered)

/** The one place that decides what becomes of a tag (HTML, "script", "link" and "iframe"). */
export function judgeTag(tag: Tag, page: Pick<PageContext, 'resolve' | 'isModule'>): Action {
  if (tag.name === 'script') return judgeScript(tag, page)
  if (tag.name === 'link') return judgeLink(tag, page)
  if (!runsCode(tag)) return { kind: 'keep' }
  const digest = hashBytes('sha256', tag.attributes.get('srcdoc')!)
  return uncovered(
    `<iframe srcdoc> ${toIntegrity('sha256', digest)}`,
    'a document in an attribute, whose scripts run beside the page and unchecked',
  )
}

/** The tags that are to become of one kind. */
export const tagsOf = (kind: Action['kind'], actions: (Action & { tag: Tag })[]): Tag[] =>
  actions.flatMap((action) => (action.kind === kind ? action.tag : []))

/** Whether a tag brings a script or an import map, as opposed to a block of data. */
export function runsCode(tag: Tag): boolean {
  if (tag.name !== 'script') return tagsInFrame(tag).some(runsCode)
  const type = typeOf(tag)
  return type === '' || type === 'importmap' || isScriptType(type)
}

const tagsInFrame = ({ name, attributes }: Tag): Tag[] =>
  name === 'iframe' ? findTags(attributes.get('srcdoc') ?? '') : []

/** A script's type, as browsers compare it; an empty text where it is not said. */
export const typeOf = ({ attributes }: Tag): string =>
  (attributes.get('type') ?? '').trim().toLowerCase()

const uncovered = (name: string, reason: string): Action => ({ kind: 'uncovered', name, reason })

function judgeScript(tag: Tag, page: Pick<PageContext, 'resolve' | 'isModule'>): Action {
  const { attributes, isSvg, isInert } = tag
  const type = typeOf(tag)
  const reference =
    attributes.get('src') ??
    (isSvg ? (attributes.get('href') ?? attributes.get('xlink:href')) : undefined)
  const name = reference ?? nameOfInline(tag)

  if (type === 'importmap' && !isInert && !isSvg) return { kind: 'map' }
  if (!runsCode(tag)) return { kind: 'keep' }
  if (isInert || isSvg)
    return reference === undefined && type !== 'module' && type !== 'importmap'
      ? { kind: 'keep' }
      : uncovered(name, 'a script in a template or an image, which is run, if at all, unchecked')
  if (type === 'module') return judgeModule(tag, reference, page)
  return reference === undefined ? { kind: 'after' } : judgeClassic(tag, reference, page)
}

/** Name of an inline script, by its text. */
export const nameOfInline = (tag: Tag): string =>
  `<script type="${typeOf(tag)}"> ${toIntegrity('sha256', hashBytes('sha256', tag.text))}`

function judgeModule(
  tag: Tag,
  reference: string | undefined,
  { resolve, isModule }: Pick<PageContext, 'resolve' | 'isModule'>,
): Action {
  if (reference === undefined)
    return uncovered(
      nameOfInline(tag),
      `an inline module script ("${tag.text.trim().slice(0, 40)}"), which runs before anything is checked; in Firefox the page then refuses`,
    )
  const path = resolve(reference)
  return path !== undefined && isModule(path)
    ? { kind: 'entry', path }
    : uncovered(
        reference,
        'a module script that is not of this build; in Firefox the page then refuses',
      )
}

function judgeClassic(
  { attributes }: Tag,
  reference: string,
  { resolve, isModule }: Pick<PageContext, 'resolve' | 'isModule'>,
): Action {
  const path = resolve(withoutQuery(reference))
  if (path !== undefined && isModule(path))
    return uncovered(
      reference,
      'a module of this build in a tag for classic scripts: give the tag type="module"',
    )
  if (path !== undefined && !isPage(path)) return { kind: 'check', path }
  return hasIntegrity(attributes)
    ? { kind: 'after' }
    : uncovered(
        reference,
        'a script that is not of this build and has no integrity attribute that a browser obeys',
      )
}

function judgeLink(
  { attributes, isInert }: Tag,
  { resolve }: Pick<PageContext, 'resolve'>,
): Action {
  const reference = attributes.get('href')
  if (reference === undefined) return { kind: 'keep' }
  const path = resolve(reference)
  const file = resolve(withoutQuery(reference))
  const rel = (attributes.get('rel') ?? '').toLowerCase().split(/\s+/)
  // What a template holds may be a shadow root, whose stylesheets are loaded and whose preloads start nothing.
  if (rel.includes('modulepreload') && isInert) return { kind: 'keep' }
  if (rel.includes('modulepreload'))
    return path === undefined
      ? uncovered(reference, 'a modulepreload of something that is not of this build')
      : { kind: 'remove' }
  return rel.includes('stylesheet') && file !== undefined && !isPage(file)
    ? { kind: 'check', path: file }
    : { kind: 'keep' }
}

/** A query changes nothing of what a static host answers, and is no other module for a stylesheet or a classic script. */
const withoutQuery = (reference: string): string => reference.replace(/[?#].*$/s, '')

const isScriptType = (type: string): boolean =>
  /^(module|(text|application)\/(x-)?(java|ecma|j|live)script[\d.]*)$/.test(type)

/** Whether a browser obeys the integrity attribute: one without a hash that it knows means none (SRI §3.3). */
const hasIntegrity = (attributes: Map<string, string>): boolean =>
  /(^|[ \t\n\f\r])sha(256|384|512)-[\w+/-]{43,}={0,2}(?=[ \t\n\f\r?]|$)/.test(
    attributes.get('integrity') ?? '',
  )
