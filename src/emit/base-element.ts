import { SignedImpError } from '../errors.js'
import { pathToUrl } from '../manifest/path.js'
import type { Tag } from './tags.js'

/**
 * The address of a page's `<base>`, from which its relative references start (HTML, "the base element"), if it has one.
 * @param path of the page
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` where that names a host, for nobody knows whose that is
 */
export function findBaseElement(path: string, tags: readonly Tag[]): string | undefined {
  const href = tags
    .find(({ name, isSvg, isInert, attributes }) => {
      return name === 'base' && !isSvg && !isInert && attributes.has('href')
    })
    ?.attributes.get('href')
  if (href === undefined || new URL(href, anyHost).href.startsWith(anyHost)) return href
  throw new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `has <base href="${href}">, so that its references mean files of that host; leave the host out of it`,
    { path },
  )
}

/** How many folders below the root of its output a page's references start. @param base of {@link findBaseElement} */
export function depthOf(page: string, base: string | undefined): number {
  const start =
    base === undefined ? page : new URL(base, pathToUrl(page, anyHost)).pathname.slice(1)
  return start.split('/').length - 1
}

const anyHost = 'https://output.invalid/'
