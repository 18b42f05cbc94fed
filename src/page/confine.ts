import type { PageBoot } from './context.js'
import { notEnforceable } from './refuse.js'

/**
 * Makes sure that the page's policy lets no script come from another origin, so that no redirect can give the static
 * imports of a module, which say no host, another meaning. Only the browser tells, by the event for an address that
 * nobody can have allowed by name: that no script came from there may be anybody's doing.
 * @param byTag runs a module by a tag
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE`
 */
export async function proveConfined(byTag: PageBoot['byTag']): Promise<void> {
  const origin = `https://signedimp-${Date.now()}.invalid`
  const isBlocked = new Promise<boolean>((settle) => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const { blockedURI, disposition, originalPolicy } = event
      if (blockedURI.startsWith(origin) && disposition === 'enforce' && confines(originalPolicy))
        settle(true)
    })
    // The event is queued like that of the tag, and may come behind it.
    void byTag(`${origin}/`).then(() => setTimeout(settle, 1000, false))
  })
  if (!(await isBlocked)) throw notEnforceable('scripts of other origins')
}

/** Whether a policy (CSP3, "Source lists") lets scripts come from the page's own origin only. With a nonce they come from anywhere. */
export function confines(policy: string, own = location.origin): boolean {
  const directives = policy.split(';').map((directive) => directive.trim().split(/\s+/))
  const named = (name: string) => directives.find(([first]) => first!.toLowerCase() === name)
  const [, ...sources] = named('script-src-elem') ??
    named('script-src') ??
    named('default-src') ?? ['', '*']
  return sources.every(
    (source) => source === own || /^'(?!strict-dynamic'|nonce-)[^']+'$/i.test(source),
  )
}
