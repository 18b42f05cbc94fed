import { findNonce, placeOfBootstrap, renderScript } from './html.js'
import type { PageContext, RewrittenPage } from './html.js'
import { judgeTag } from './judge.js'
import { findTags, type Tag } from './tags.js'

/** What the tag of a report-only bootstrap says of itself. No bootstrap that refuses looks for it. */
const mode = 'report-only'

/** Whether a page has a bootstrap that refuses nothing. */
export const isReportOnly = (html: string): boolean =>
  findTags(html).some(({ attributes }) => attributes.get('data-mode') === mode)

/** Adds the report-only bootstrap to a page that starts modules of the build. Nothing else changes in it. */
export function watchPage(html: string, page: PageContext): RewrittenPage {
  const tags = findTags(html)
  const actions = tags.map((tag) => ({ tag, ...judgeTag(tag, page) }))
  const entries = actions.flatMap((action) => (action.kind === 'entry' ? action.path : []))
  const checked = actions.flatMap((action) => (action.kind === 'check' ? action.path : []))
  const module = actions.find(({ kind }) => kind === 'entry')?.tag
  const at = module ? placeOfBootstrap(actions) : 0
  return {
    path: page.path,
    html: module ? html.slice(0, at) + renderWatcher(page, module, tags) + html.slice(at) : html,
    entries,
    checked: [...checked, ...entries],
    external: page.external,
    fixed: undefined,
    foreign: [],
    uncovered: [],
    inline: [],
  }
}

function renderWatcher(page: PageContext, module: Tag, tags: Tag[]): string {
  const isPrivate = module.attributes.get('crossorigin') === 'use-credentials'
  const { external } = page
  return renderScript(page, {
    'data-mode': mode,
    'data-manifest': page.manifest,
    'data-tags': page.tags === undefined ? undefined : '',
    'data-external': external.size > 0 ? JSON.stringify(Object.fromEntries(external)) : undefined,
    'data-credentials': isPrivate ? 'include' : undefined,
    ...page.release,
    crossorigin: isPrivate ? 'use-credentials' : '',
    nonce: findNonce(module, tags),
  })
}
