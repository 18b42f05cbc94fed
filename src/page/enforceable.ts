import { appendScript, runModule, trusted, type Carrier } from './map.js'
import { notEnforceable } from './refuse.js'

/**
 * Finds out whether a page could make the browser check what it loads: whether its policy lets scripts of ours do what
 * an import map and its probe need, or a blob. No import map is added, for that might change what the page's modules mean,
 * so that what an old engine lacks is not seen.
 * @param hasTags whether it may load modules by tags, for which no policy needs to allow anything inline
 * @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE` where neither is allowed
 */
export async function proveEnforceable(carrier: Carrier, hasTags: boolean): Promise<void> {
  if (hasTags || (allowsMap(carrier) && (await runs('data:text/javascript,0', carrier)))) return
  const url = URL.createObjectURL(new Blob(['0'], { type: 'text/javascript' }))
  if (!(await runs(url, carrier))) throw notEnforceable('no maps, no blobs')
}

/** A policy does not tell a script from an import map (CSP3, "Should element's inline type behavior be blocked"). */
function allowsMap(carrier: Carrier): boolean {
  const hook = `signedimp-${Math.random()}`
  const script = appendScript('', carrier)
  try {
    script.text = trusted.createScript(`self["${hook}"]=1`)
  } catch {
    // The page requires Trusted Types, and does not allow our policy.
  }
  script.remove()
  return Reflect.has(self, hook) && Reflect.deleteProperty(self, hook)
}

const runs = async (url: string, carrier: Carrier): Promise<boolean> => {
  try {
    return (await runModule(url, carrier)) === 'load'
  } catch {
    return false
  } finally {
    document.querySelector(`script[src="${url}"]`)?.remove()
  }
}
