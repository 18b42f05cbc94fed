/**
 * Tells of each file that the page loads as a script or by a link, once, without touching anything: by what the browser
 * lists (Resource Timing), what failed to load too.
 * @param tell told of a URL without its fragment, and whether modules alone can have asked for it, as no element has
 */
export function watchLoads(tell: (url: string, isImported: boolean) => void): void {
  const seen = new Set<string>()
  const tagged = new Set<string>()
  // Some scripts are gone again before the browser lists them.
  new MutationObserver((records) => {
    for (const node of records.flatMap(({ addedNodes }) => [...addedNodes]))
      if (node instanceof HTMLScriptElement) tagged.add(withoutHash(node.src))
  }).observe(document, { childList: true, subtree: true })

  new PerformanceObserver((list) => {
    for (const { src } of document.scripts) tagged.add(withoutHash(src))
    for (const { name, initiatorType } of list.getEntries() as PerformanceResourceTiming[]) {
      const url = withoutHash(name)
      // A worker, say, is "other", and so is in Chromium what is preloaded as a module.
      if (!/^(script|link|other)$/.test(initiatorType) || seen.has(url)) continue
      seen.add(url)
      tell(url, initiatorType === 'script' && !tagged.has(url))
    }
  }).observe({ type: 'resource', buffered: true })
}

const withoutHash = (url: string): string => url.replace(/#.*$/s, '')
