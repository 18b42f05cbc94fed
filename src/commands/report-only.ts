import { decode, isPage } from '../emit/output.js'
import { isReportOnly } from '../emit/report-only-page.js'
import { readWhole } from '../tree/contents.js'
import type { Listed } from '../tree/tree.js'

/** Largest page that is looked at. */
const maxBytes = 64 * 2 ** 20

/** Paths of the pages that report what they would refuse, and refuse nothing: their HTML says so, no manifest does. */
export async function findReportOnly({ folder, contents }: Listed): Promise<string[]> {
  const found: string[] = []
  for (const path of folder.files.keys()) {
    if (!isPage(path)) continue
    const text = decode((await readWhole(contents, path, maxBytes)) ?? new Uint8Array())
    if (text !== undefined && isReportOnly(text)) found.push(path)
  }
  return found
}

/** What is said of them. */
export const reportOnlyRows = (pages: readonly string[]): [word: string, value: string][] =>
  pages.map((path) => ['REPORT-ONLY', `${path}: refuses nothing`])
