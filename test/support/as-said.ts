import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { serveApp, type TestSite } from './app.ts'
import type { SiteOptions } from '../../playground/server.ts'

/** What the option `headers` says, as JSON. */
interface Said {
  default: Record<string, string>
  files: Record<string, Record<string, string>>
}

/** The headers that a build wrote, by path. */
export const readSaid = (folder: string): Said =>
  JSON.parse(readFileSync(join(folder, 'signedimp-headers.json'), 'utf8')) as Said

/** Serves a build with the headers that it says; but nothing is kept, for a test changes it. */
export function serveAsSaid(folder: string, options: SiteOptions = {}): Promise<TestSite> {
  const said = readSaid(folder)
  const headers = (path: string) => ({
    ...(said.files[path] ?? said.default),
    'Cache-Control': 'no-store',
  })
  return serveApp(folder, { ...options, headers })
}

/** The policy that a build says for its page. */
export const policyOf = (folder: string): string =>
  readSaid(folder).files['index.html']!['Content-Security-Policy']!

/** What the option `policy` gives, in the page's policy: the host of the files, and the hashes of the map and its control. */
export const sourcesOf = (folder: string): string[] =>
  /(?:'self'|https?:\S+) '\S+' '\S+'(?=;)/.exec(policyOf(folder))![0].split(' ')
