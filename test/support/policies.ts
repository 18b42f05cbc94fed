/** How pages carry the bootstrap, by a word for titles. */
export const kinds = { inline: true, linked: false, all: 'all' } as const

/** A way to carry the bootstrap. */
export type Kind = keyof typeof kinds

/** What becomes of a page under a policy. */
export type Fate = 'checked' | 'refused' | 'nothing runs'

/**
 * Policies (script-src), for each kind of bootstrap: what becomes of the page, in every engine. BOOTSTRAP stands for
 * the hash of the bootstrap; the nonce of the page's tags is "abc".
 */
export const policies: [policy: string, kind: Kind, fate: Fate][] = [
  [`'self'`, 'inline', 'nothing runs'],
  [`'self'`, 'linked', 'refused'],
  [`'self' BOOTSTRAP`, 'inline', 'refused'],
  [`'self' 'unsafe-inline'`, 'inline', 'refused'],
  [`'self' 'unsafe-inline' data:`, 'inline', 'checked'],
  [`'self' 'nonce-abc'`, 'inline', 'checked'],
  [`'self' 'nonce-abc'`, 'linked', 'checked'],
  [`'self' 'nonce-abc'`, 'all', 'checked'],
  [`'self' 'nonce-other'`, 'linked', 'refused'],
  [`'nonce-abc' 'strict-dynamic'`, 'inline', 'checked'],
  [`'nonce-abc' 'strict-dynamic'`, 'linked', 'checked'],
  [`BOOTSTRAP 'strict-dynamic'`, 'inline', 'checked'],
  [`BOOTSTRAP 'strict-dynamic'`, 'all', 'checked'],
]

/**
 * Policies (script-src) of a page with the tag of an entry that no page of its build starts: what becomes of the entry
 * in the engines that take a late map, and where it goes without one, as in Firefox. BOOTSTRAP stands for the hash of
 * the entry's file, which its tag has as integrity.
 */
export const entryPolicies: [policy: string, map: Fate, blob: Fate][] = [
  [`'self'`, 'refused', 'refused'],
  [`'self' 'unsafe-inline'`, 'refused', 'refused'],
  [`'self' 'unsafe-inline' data:`, 'checked', 'refused'],
  [`'self' blob:`, 'checked', 'checked'],
  [`'nonce-abc'`, 'checked', 'checked'],
  [`'self' 'nonce-abc'`, 'checked', 'checked'],
  [`'nonce-abc' 'strict-dynamic'`, 'checked', 'checked'],
  [`BOOTSTRAP`, 'refused', 'refused'],
  [`BOOTSTRAP 'strict-dynamic'`, 'checked', 'checked'],
]
