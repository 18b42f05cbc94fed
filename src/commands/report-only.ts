import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decode, isPage } from '../emit/output.js'
import { isReportOnly } from '../emit/report-only-page.js'
import { walkIfThere } from '../tree/walk.js'

/** Paths of the pages in a folder that report what they would refuse, and refuse nothing: their HTML says so, no manifest does. */
export async function findReportOnly(dir: string): Promise<string[]> {
  const { files } = await walkIfThere(dir)
  return [...files.keys()].filter(isPage).filter((path) => {
    const text = decode(readFileSync(join(dir, path)))
    return text !== undefined && isReportOnly(text)
  })
}

/** What is said of them. */
export const reportOnlyRows = (pages: readonly string[]): [word: string, value: string][] =>
  pages.map((path) => ['REPORT-ONLY', `${path}: refuses nothing`])
