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
