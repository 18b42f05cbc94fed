/** What templates of a backend write into its pages: a list with the tags for each entry, as Vite's has the files. */
import { backendList, nonceSlot as slot } from '../manifest/names.js'
import type { Changes } from './changes.js'
import { matches } from './coverage.js'
import { escapeAttribute } from './escape.js'
import type { Release } from './release.js'
import { urlBelow } from './graph.js'
import type { RewrittenPage } from './html.js'
import type { Output, OutputFile } from './output.js'
import { takenName } from './own-files.js'
import { createNoncePolicy, createPolicy, trustedOf, type PolicyNeeds } from './policy.js'

/** What one entry's page needs, as the list has it. */
interface BackendPage {
  /** The tags for its head. */
  head: string
  /** A Content-Security-Policy that lets these work, and no other script. */
  csp: string
  /** The same with a nonce in place of hashes. */
  withNonce: { head: string; csp: string }
}

/** Pages that stand for those of the backend while the output is signed, by their paths: the names of their entries. */
export type Templates = ReadonlyMap<string, string>

const [headStart, headEnd] = ['<head><meta charset="utf-8">\n', '</head>']

/**
 * Adds, where a backend writes pages, one for each entry that neither a page of the output starts nor `unverified` names:
 * so what holds for pages of the build holds for those of the backend.
 * @param started entries that pages start; those that are found are added to them
 */
export function addTemplates(output: Output, started: Set<string>, release: Release): Templates {
  const { backend, unverified } = release
  const isLeft = (path: string) =>
    started.has(path) || unverified.some((pattern) => matches(pattern, path))
  const entries = [...output.values()].filter(
    ({ path, isModule, isEntry }) => backend && isModule && isEntry && !isLeft(path),
  )
  return new Map(
    entries.map((entry) => {
      const path = `${entry.path}.html`
      if (output.has(path)) throw takenName(path)
      const source = renderPage(entry, release)
      output.set(path, { path, source, isModule: false, isEntry: false })
      started.add(entry.path)
      return [path, entry.from ?? entry.path]
    }),
  )
}

function renderPage({ path, styles = [] }: OutputFile, { base }: Release): string {
  const refer = (file: string) => escapeAttribute(urlBelow(base, file))
  const links = styles.map(
    (file) => `<link rel="stylesheet" href="${refer(file)}" nonce="${slot}">\n`,
  )
  return `<!doctype html><html>${headStart}<script type="module" src="${refer(path)}" nonce="${slot}"></script>\n${links.join('')}${headEnd}</html>`
}

/**
 * Puts the list in the place of the pages.
 * @param pages all pages of the output as they were rewritten
 */
export function writeTemplates(
  templates: Templates,
  pages: readonly RewrittenPage[],
  output: Output,
  {
    backend,
    policy,
    checksWorkers,
  }: Pick<Release, 'backend' | 'policy'> & { checksWorkers: boolean },
  { changed, change }: Changes,
): void {
  if (!backend) return
  const hasWasm = [...output.keys()].some((path) => path.endsWith('.wasm'))
  const listed = pages.flatMap((page) => {
    const name = templates.get(page.path)
    const needs = { hasWasm, hasWorkers: checksWorkers, trusted: trustedOf(policy, page.fixed) }
    return name === undefined ? [] : [[name, describe(page, needs)] as const]
  })
  for (const path of templates.keys()) {
    output.delete(path)
    changed.delete(path)
  }
  if (output.has(backendList)) throw takenName(backendList)
  change(backendList, `${JSON.stringify(Object.fromEntries(listed), undefined, 2)}\n`)
}

function describe({ html, path }: RewrittenPage, needs: PolicyNeeds): BackendPage {
  const head = html.slice(html.indexOf(headStart) + headStart.length, html.lastIndexOf(headEnd))
  const made = createPolicy(html, needs)
  // Nothing but tags of ours is in there.
  if (!('policy' in made)) throw new Error(`${path} has ${made.hindrance}`)
  return {
    head: head.replaceAll(` nonce="${slot}"`, ''),
    csp: made.policy,
    withNonce: { head, csp: createNoncePolicy(slot, needs) },
  }
}
