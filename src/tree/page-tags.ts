import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { backendList, nonceSlot } from '../manifest/names.js'

/** How {@link pageTags} writes. */
export interface PageTagsOptions {
  /** The page's nonce, another one for each view: then the tags carry it, and the policy asks for it. */
  nonce?: string | undefined
}

/** What a backend writes into a page that starts an entry. */
export interface PageTags {
  /** HTML for the head, behind `<meta charset="utf-8">` and before whatever loads or runs something. */
  head: string
  /** A value for the header `Content-Security-Policy` that lets these tags work, and no other script. */
  csp: string
}

/**
 * Reads what a page that a backend writes needs to start an entry: from `signedimp-pages.json`, which a build with
 * `html: 'backend'` leaves in its output. It is read each time, so that a new release counts as soon as it is there.
 * @param folder the output, on a disk that is trusted as the HTML is: a path or a `file:` URL
 * @param entry the entry's source, from the project's folder, as `src/main.js`
 * @throws TypeError where the list has no such entry or is another one, or the nonce is none; what `readFileSync` throws
 */
export function pageTags(
  folder: string | URL,
  entry: string,
  { nonce }: PageTagsOptions = {},
): PageTags {
  if (nonce !== undefined && !isNonce(nonce))
    throw new TypeError('pageTags: "nonce" must be a text in base64, another one for each view')
  const { withNonce, head, csp } = readPage(folder, entry)
  if (nonce === undefined) return { head, csp }
  const fill = (text: string) => text.replaceAll(nonceSlot, nonce)
  return { head: fill(withNonce.head), csp: fill(withNonce.csp) }
}

/** A word that stands for no nonce, such as `null`, would be the same in each view. */
const isNonce = (nonce: unknown): boolean =>
  typeof nonce === 'string' && /^[\w+/-]+={0,2}$/.test(nonce) && nonce !== nonceSlot

interface ListedPage extends PageTags {
  withNonce: PageTags
}

function readPage(folder: string | URL, entry: string): ListedPage {
  const file = join(typeof folder === 'string' ? folder : fileURLToPath(folder), backendList)
  const pages = JSON.parse(readFileSync(file, 'utf8')) as Record<string, ListedPage> | null
  const names = Object.keys(pages ?? {})
  if (!names.includes(entry))
    throw new TypeError(`pageTags: "entry" must be one of ${names.join(', ')}; it is '${entry}'`)
  const page = pages![entry]!
  if (areTags(page) && areTags(page.withNonce)) return page
  throw new TypeError(`pageTags: ${file} is no list of this version of signedimp; build again`)
}

const areTags = (tags: Partial<PageTags> | null | undefined): boolean =>
  typeof tags?.head === 'string' && typeof tags.csp === 'string'
