/** Policies that stand in a page itself, and so are known when it is sealed. */
import type { Release } from '../emit/release.js'
import { SignedImpError } from '../errors.js'
import type { Tag } from '../emit/tags.js'

/** What a policy must let through for the page to start. */
export interface Needed extends Pick<Release, 'inline' | 'tags'> {
  /** Hash of the bootstrap, as integrity metadata. */
  integrity: string
  /** Nonce of the tag that carries it. */
  nonce: string | undefined
}

/**
 * Refuses a page whose own Content-Security-Policy would not let it start.
 * @param tags of the sealed page
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` that says what to add
 */
export function refusePolicy(path: string, tags: readonly Tag[], needed: Needed): void {
  for (const { name, attributes, isInert } of tags) {
    const isPolicy = /^content-security-policy$/i.test(attributes.get('http-equiv') ?? '')
    if (name !== 'meta' || isInert || !isPolicy) continue
    const sources = scriptSources(attributes.get('content') ?? '')
    if (sources && !lets(sources, needed))
      throw new SignedImpError(
        'ERR_SIGNEDIMP_OUTPUT',
        `has a Content-Security-Policy that does not let it start; give its scripts '${needed.integrity}' and 'strict-dynamic', which stay the same for a key, or send the policy as a header`,
        { path },
      )
  }
}

/** What a policy says of scripts (CSP3 §6.6.1), or undefined where it says nothing. */
function scriptSources(policy: string): Set<string> | undefined {
  const directives = new Map<string, string[]>()
  for (const text of policy.split(';')) {
    const [name = '', ...values] = text.trim().split(/\s+/)
    if (!directives.has(name.toLowerCase())) directives.set(name.toLowerCase(), values)
  }
  const names = ['script-src-elem', 'script-src', 'default-src']
  const found = names.map((name) => directives.get(name)).find((values) => values !== undefined)
  return found && new Set(found)
}

/** As was seen to work: see the table of policies in the documents. */
function lets(sources: Set<string>, { inline, tags, integrity, nonce }: Needed): boolean {
  const isDynamic = sources.has("'strict-dynamic'")
  if (nonce !== undefined && sources.has(`'nonce-${nonce}'`)) return true
  if (sources.has(`'${integrity}'`)) return isDynamic || (tags && sources.has("'self'"))
  return !isDynamic && inline === false && sources.has("'self'") && (tags || sources.has('blob:'))
}
