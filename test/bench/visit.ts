import type { Site } from '../../playground/server.ts'
import type { Page } from '../support/browsers.ts'

/** One load of a page. */
export interface Visit {
  /** From the start of the navigation until the app had what it wanted. */
  ms: number
  /** Requests that reached the server, for the page and what belongs to it. */
  requests: number
  /** Files that were asked for more than once. */
  twice: string[]
}

const patience = 30_000

/** Loads a page anew and waits until the app notes that it has what it wanted. */
export async function visit(page: Page, site: Site, hash: string): Promise<Visit> {
  // A page with a hash would not be loaded again, only scrolled.
  await page.goto('about:blank')
  site.reset()
  await page.goto(site.url + hash, patience)
  const ms = await page.waitFor(() => (globalThis as { __done?: number }).__done, patience)
  const paths = site.requests.map(({ path }) => path).filter((path) => path !== 'favicon.ico')
  const twice = [...new Set(paths.filter((path, at) => paths.indexOf(path) !== at))]
  return { ms: ms!, requests: paths.length, twice }
}

/** When a page asked for each of its files, in milliseconds since the navigation, and when it had the answer. */
export function waterfall(page: Page): Promise<[file: string, start: number, end: number][]> {
  return page.evaluate(() =>
    [
      ...performance.getEntriesByType('navigation'),
      ...performance.getEntriesByType('resource'),
    ].map((entry) => {
      const { name, startTime, responseEnd } = entry as PerformanceResourceTiming
      return [name.replace(/^.*\//, ''), Math.round(startTime), Math.round(responseEnd)] as never
    }),
  )
}
