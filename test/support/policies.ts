import { createHash } from 'node:crypto'
import * as assert from 'uvu/assert'
import type { EngineName } from './binaries.ts'

/** How pages carry the bootstrap, by a word for titles. */
export const kinds = { inline: true, linked: false, all: 'all' } as const

/** A way to carry the bootstrap. */
export type Kind = keyof typeof kinds

/** What becomes of a page under a policy: what enforces, or that nothing of the app runs. */
export type Fate = 'map' | 'blob' | 'tags' | 'refused' | 'nothing runs'

/** What docs/csp.md calls that. */
export const fateNames: Record<Fate, string> = {
  map: '`map`',
  blob: '`blob`',
  tags: '`tags`',
  refused: 'refused',
  'nothing runs': 'nothing runs',
}

/** A policy, and what becomes of the page in each engine. */
export interface Policy {
  /** Value of Content-Security-Policy, or another header, with its name. */
  policy: string
  kind: Kind
  /** The option that the build has besides: `tags`, or `policy` with this value. */
  option: 'tags' | 'self' | undefined
  fates: Record<EngineName, Fate>
}

const alike = (fate: Fate) => ({ chromium: fate, firefox: fate, webkit: fate })

const rows: [
  policy: string,
  kind: Kind,
  fate: Fate | Policy['fates'],
  option?: Policy['option'],
][] = [
  [`script-src 'self'`, 'inline', 'nothing runs'],
  [`script-src 'self'`, 'linked', 'refused'],
  [`script-src 'self'`, 'linked', 'tags', 'tags'],
  [`default-src 'self'; connect-src 'none'`, 'linked', 'tags', 'tags'],
  [`script-src 'self' https://cdn.example`, 'linked', 'refused', 'tags'],
  [`script-src 'self' blob:`, 'linked', 'blob'],
  [`script-src 'self' BOOTSTRAP`, 'inline', 'refused'],
  [`script-src 'self' BOOTSTRAP`, 'inline', 'tags', 'tags'],
  [`script-src 'self' BOOTSTRAP MAP CONTROL`, 'inline', 'map', 'self'],
  [`script-src 'self' MAP CONTROL`, 'linked', 'map', 'self'],
  [`script-src 'self' BOOTSTRAP MAP CONTROL`, 'all', 'map', 'self'],
  [
    `default-src 'none'; script-src 'self' BOOTSTRAP MAP CONTROL; connect-src 'self'`,
    'inline',
    'map',
    'self',
  ],
  [
    `script-src 'self' BOOTSTRAP MAP CONTROL; require-trusted-types-for 'script'; trusted-types signedimp`,
    'inline',
    'map',
    'self',
  ],
  [`script-src 'self' BOOTSTRAP MAP`, 'inline', 'refused', 'self'],
  [`script-src 'self' BOOTSTRAP CONTROL`, 'inline', 'refused', 'self'],
  [`script-src BOOTSTRAP MAP CONTROL`, 'inline', 'refused', 'self'],
  [`script-src BOOTSTRAP 'strict-dynamic'`, 'inline', 'map', 'self'],
  [`script-src 'self' 'unsafe-inline'`, 'inline', 'refused'],
  [`script-src 'self' 'unsafe-inline'`, 'inline', 'refused', 'tags'],
  [`script-src 'self' 'unsafe-inline' blob:`, 'inline', 'blob'],
  [`script-src 'self' 'unsafe-inline' data:`, 'inline', 'map'],
  [`script-src 'self' 'nonce-abc'`, 'inline', 'map'],
  [`script-src 'self' 'nonce-abc'`, 'linked', 'map'],
  [`script-src 'self' 'nonce-abc'`, 'all', 'map'],
  [`script-src 'self' 'nonce-other'`, 'linked', 'refused'],
  [`script-src 'self' 'nonce-other'`, 'linked', 'refused', 'tags'],
  [`script-src 'nonce-abc' 'strict-dynamic'`, 'inline', 'map'],
  [`script-src 'nonce-abc' 'strict-dynamic'`, 'linked', 'map'],
  [`script-src BOOTSTRAP 'strict-dynamic'`, 'inline', 'map'],
  [`script-src BOOTSTRAP 'strict-dynamic'`, 'linked', 'map'],
  [`script-src BOOTSTRAP 'strict-dynamic'`, 'all', 'map'],
  [
    `default-src 'none'; script-src BOOTSTRAP 'strict-dynamic'; connect-src 'self'`,
    'inline',
    'map',
  ],
  [`require-trusted-types-for 'script'; trusted-types signedimp`, 'inline', 'map'],
  [`require-trusted-types-for 'script'; trusted-types other`, 'linked', 'refused'],
  [`trusted-types other`, 'inline', 'map'],
  [
    `Integrity-Policy: blocked-destinations=(script)`,
    'inline',
    { chromium: 'map', firefox: 'map', webkit: 'refused' },
  ],
]

/**
 * Policies, for each kind of bootstrap: what becomes of the page in each engine. docs/csp.md has them as a table, and
 * test/browser/enforcement.test.ts tries each. BOOTSTRAP stands for the hash of the bootstrap, MAP and CONTROL for those that
 * the option `policy` gives; the nonce of the page's tags is "abc".
 */
export const policies: Policy[] = rows.map(([policy, kind, fate, option]) => ({
  policy,
  kind,
  option,
  fates: typeof fate === 'string' ? alike(fate) : fate,
}))

/** What becomes of an entry that no page of its build starts. */
export type EntryFate = 'checked' | 'refused'

/**
 * Policies (script-src) of a page with the tag of an entry that no page of its build starts: what becomes of the entry
 * in the engines that take a late map, and where it goes without one, as in Firefox. BOOTSTRAP stands for the hash of
 * the entry's file, which its tag has as integrity.
 */
export const entryPolicies: [policy: string, map: EntryFate, blob: EntryFate][] = [
  [`'self'`, 'refused', 'refused'],
  [`'self' 'unsafe-inline'`, 'refused', 'refused'],
  [`'self' 'unsafe-inline' data:`, 'checked', 'refused'],
  [`'self' blob:`, 'checked', 'checked'],
  [`'nonce-abc'`, 'checked', 'checked'],
  [`'self' 'nonce-abc'`, 'checked', 'checked'],
  [`'nonce-abc' 'strict-dynamic'`, 'checked', 'checked'],
  [
    `'nonce-abc'; require-trusted-types-for 'script'; trusted-types signedimp`,
    'checked',
    'checked',
  ],
  [`BOOTSTRAP`, 'refused', 'refused'],
  [`BOOTSTRAP 'strict-dynamic'`, 'checked', 'checked'],
]

/** The hash source of the script that carries `data-manifest`: of its text, or what it has as integrity. */
export function hashOf(html: string): string {
  const [, tag, code] = /(<script[^>]* data-manifest=[^>]*>)([^]*?)<\/script>/.exec(html) ?? []
  assert.ok(tag)
  const [, integrity] = / integrity="([^"]+)"/.exec(tag) ?? []
  return `'${integrity ?? `sha256-${createHash('sha256').update(code!).digest('base64')}`}'`
}
