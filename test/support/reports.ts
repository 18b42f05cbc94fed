import * as assert from 'uvu/assert'
import type { SiteOptions } from '../../playground/server.ts'
import { isAsked, serveApp, type TestSite } from './app.ts'
import type { Page } from './page.ts'

/** A report as it came. */
export interface Report {
  method: string
  url: string
  type: string
  text: string
}

/** Serves a folder, and gathers what is sent to `report`. */
export async function within(
  folder: string,
  body: (site: TestSite, reports: Report[]) => Promise<void>,
  options: SiteOptions = {},
): Promise<void> {
  const reports: Report[] = []
  const site = await serveApp(folder, {
    ...options,
    async handle(request, response, path) {
      if (path !== 'report') return false
      const chunks = await request.toArray()
      const { method = '', url = '', headers } = request
      const text = Buffer.concat(chunks).toString()
      reports.push({ method, url, type: String(headers['content-type']), text })
      response.writeHead(204).end()
      return true
    },
  })
  try {
    await body(site, reports)
  } finally {
    await site.close()
  }
}

/** Gives what came once nothing more comes. */
export async function settled(page: Page, reports: Report[], count: number): Promise<object[]> {
  for (let turn = 0; turn < 50 && reports.length < count; turn++)
    await page.evaluate(() => new Promise((settle) => setTimeout(() => settle(1), 20)))
  await page.evaluate(() => new Promise((settle) => setTimeout(() => settle(1), 200)))
  for (const { method, url, type } of reports)
    assert.equal([method, url, type], ['POST', '/report', 'text/plain;charset=UTF-8'])
  return reports.map(({ text }) => JSON.parse(text))
}

/** Waits until a report-only page has checked a file, for which it asks once more. */
export const checks = (site: TestSite, path: string): Promise<void> => isAsked(site, path, 2)
