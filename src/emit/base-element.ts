import { SignedImpError } from '../errors.js'
import { pathToUrl } from '../manifest/path.js'
import type { Tag } from './tags.js'

/**
 * The address of a page's `<base>`, from which its relative references start (HTML, "the base element"), if it has one.
 * @param path of the page
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` where that names a host, for nobody knows whose that is, and where it stands
 *   behind a reference that would start there
 */
export function findBaseElement(path: string, tags: readonly Tag[]): string | undefined {
  const base = tags.find(({ name, isSvg, isInert, attributes }) => {
    return name === 'base' && !isSvg && !isInert && attributes.has('href')
  })
  const href = base?.attributes.get('href')
  if (!base || href === undefined) return undefined
  const refuse = (reason: string) => new SignedImpError('ERR_SIGNEDIMP_OUTPUT', reason, { path })
  if (!URL.canParse(href, anyHost) || !new URL(href, anyHost).href.startsWith(anyHost))
    throw refuse(
      `has <base href="${href}">, so that its references mean files of that host; leave the host out of it`,
    )
  const early = tags.find((tag) => tag.start < base.start && startsAt(path, href, tag))
  if (early)
    throw refuse(
      `has <base href="${href}"> behind a <${early.name}> whose address does not start there; put it first`,
    )
  return href
}

/** Whether a tag loads something by an address that a `<base>` would change. */
function startsAt(page: string, base: string, { name, attributes, isInert }: Tag): boolean {
  const reference = attributes.get(name === 'script' ? 'src' : 'href')
  const isLoading =
    name === 'script' ||
    (name === 'link' && /modulepreload|stylesheet/i.test(attributes.get('rel') ?? ''))
  if (!isLoading || isInert || reference === undefined || !URL.canParse(reference, anyHost))
    return false
  const place = pathToUrl(page, anyHost)
  return new URL(reference, place).href !== new URL(reference, new URL(base, place)).href
}

/** How many folders below the root of its output a page's references start. @param base of {@link findBaseElement} */
export function depthOf(page: string, base: string | undefined): number {
  const start =
    base === undefined ? page : new URL(base, pathToUrl(page, anyHost)).pathname.slice(1)
  return start.split('/').length - 1
}

const anyHost = 'https://output.invalid/'
