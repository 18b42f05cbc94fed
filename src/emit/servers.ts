import { isPage } from './output.js'
import type { HeadersForm } from './forms.js'
import type { Headers, SiteHeaders } from './headers.js'

/** A file for a kind of server. */
interface Written {
  text: string
  warnings?: string[]
}

const policyName = 'Content-Security-Policy'

type Write = (site: SiteHeaders) => Written

/** A header with one value, and the paths, as URLs have them, that get it. */
interface Rule {
  name: string
  value: string
  paths: string[]
}

/** Headers by the paths of URLs. Servers send a page under shorter ones, too; one that may mean two files is left out. */
function byUrl({ files, toUrlPath }: SiteHeaders): Map<string, Headers> {
  const named = [...files].flatMap(([path, headers]) =>
    urlsOf(toUrlPath(path)).map((url) => ({ url, headers })),
  )
  const counts = new Map<string, number>()
  for (const { url } of named) counts.set(url, (counts.get(url) ?? 0) + 1)
  const single = named.filter(({ url }) => counts.get(url) === 1)
  return new Map(single.map(({ url, headers }) => [url, headers]))
}

function urlsOf(path: string): string[] {
  if (/\/index\.html?$/.test(path)) {
    const folder = path.replace(/[^/]+$/, '')
    return [...new Set([folder, folder.replace(/(.)\/$/, '$1'), path])]
  }
  return isPage(path) ? [path.replace(/\.html?$/i, ''), path] : [path]
}

/** Headers by value: each says which paths get it, but for what everything gets. */
function rulesOf(site: SiteHeaders): Rule[] {
  const rules = new Map<string, Rule>()
  for (const [url, headers] of byUrl(site))
    for (const [name, value] of Object.entries(headers)) {
      if (site.fallback[name] === value) continue
      const key = `${name}: ${value}`
      const rule = rules.get(key) ?? { name, value, paths: [] }
      rule.paths.push(url)
      rules.set(key, rule)
    }
  return [...rules.values()]
}

/** In nginx, no line of a file may be longer than 4 KiB. */
const maxPattern = 3500

/** Regular expressions (PCRE) of all bytes, in ASCII and without anything that a configuration file could take for its own. */
function patternsOf(paths: string[]): string[] {
  const patterns: string[] = []
  let open: string[] = []
  let length = 0
  const close = () => open.length > 0 && patterns.push(`^(?:${open.join('|')})$`)
  for (const path of paths.map(escapePattern)) {
    if (length + path.length > maxPattern) {
      close()
      open = []
      length = 0
    }
    open.push(path)
    length += path.length + 1
  }
  close()
  return patterns
}

const escapePattern = (path: string): string =>
  [...Buffer.from(path)]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      if (/[\w/-]/.test(char)) return char
      return char === '.' ? '\\.' : `\\x${byte.toString(16).padStart(2, '0')}`
    })
    .join('')

/** Pages keep their policy when they are shown for an error; what may be kept for ever must be what was asked for. */
const isForErrors = (name: string): boolean => name === policyName

const isQuotable = (value: string): boolean => /^[ -~]*$/.test(value) && !/["\\$%]/.test(value)

/** Its `if` is safe with nothing but `set` in it, and `$uri` is the file that a folder or a fallback stands for. */
function writeNginx(site: SiteHeaders): Written {
  const rules = rulesOf(site)
  const names = [...new Set([...Object.keys(site.fallback), ...rules.map(({ name }) => name)])]
  const variable = (name: string) => `$signedimp_${name.toLowerCase().replaceAll('-', '_')}`
  const sets = names.map((name) => `set ${variable(name)} "${site.fallback[name] ?? ''}";`)
  const ifs = rules.flatMap(({ name, value, paths }) =>
    patternsOf(paths).map(
      (pattern) => `if ($uri ~ "${pattern}") {\n  set ${variable(name)} "${quote(value)}";\n}`,
    ),
  )
  const adds = names.map(
    (name) => `add_header ${name} ${variable(name)}${isForErrors(name) ? ' always' : ''};`,
  )
  return {
    text: `# Written by signedimp for one build: with which headers nginx is to serve its files.
# In the server block that serves them: include signedimp-headers.nginx.conf;
# A location with an add_header of its own gets none of these: repeat the add_header lines in it.
${[...sets, ...ifs, ...adds].join('\n')}
`,
  }
}

function writeApache(site: SiteHeaders): Written {
  const set = (name: string, value: string) =>
    `Header ${isForErrors(name) ? 'always set' : 'set'} ${name} "${quote(value)}"`
  const ifs = rulesOf(site).flatMap(({ name, value, paths }) =>
    patternsOf(paths).map(
      (pattern) => `<If "%{REQUEST_URI} =~ m#${pattern}#">\n  ${set(name, value)}\n</If>`,
    ),
  )
  return {
    text: `# Written by signedimp for one build: with which headers Apache is to serve its files.
# Needs mod_headers, and AllowOverride All (or FileInfo) for this folder.
${[...Object.entries(site.fallback).map(([name, value]) => set(name, value)), ...ifs].join('\n')}
`,
  }
}

/** @throws Error on what none of our headers has */
function quote(value: string): string {
  if (!isQuotable(value)) throw new Error(`a header that servers would not take as it is: ${value}`)
  return value
}

/** Cloudflare takes no more of them, and other hosts more. */
const maxRules = 100

/**
 * For hosts that read `_headers`. Rules that overlap would be added up, so that each path has one; whatever has none is
 * asked for again there anyway. What such hosts take for a pattern, or for the end of a path, cannot be named.
 */
function writeUnderscoreHeaders(site: SiteHeaders): Written {
  const needed = [...byUrl(site)].filter(([, headers]) => hasMore(headers, site.fallback))
  const isPlain = (url: string) => /^[\w./~+=@,-]+$/.test(url)
  const rules = needed.filter(([url]) => isPlain(url))
  // Pages first: where a host stops reading, what is left is asked for more often than need be.
  rules.sort(([, a], [, b]) => Number(policyName in b) - Number(policyName in a))
  const blocks = rules.map(([url, headers]) =>
    [url, ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`)].join('\n'),
  )
  const left = needed.filter(([url, headers]) => policyName in headers && !isPlain(url))
  return {
    text: `# Written by signedimp for one build: with which headers a host is to serve its files.\n${blocks.join('\n')}\n`,
    warnings: [
      ...(left.length > 0
        ? [
            `headers: "_headers" cannot name ${left.map(([url]) => url).join(', ')}, which get no policy by it`,
          ]
        : []),
      ...(rules.length > maxRules
        ? [
            `headers: "_headers" has ${rules.length} rules, of which Cloudflare Pages takes the first ${maxRules}`,
          ]
        : []),
    ],
  }
}

const hasMore = (headers: Headers, fallback: Headers): boolean =>
  Object.entries(headers).some(([name, value]) => fallback[name] !== value)

/** For programs. Paths are those of the files, below the folder of the output. */
function writeJson({ files, fallback }: SiteHeaders): Written {
  const listed = [...files].sort(([a], [b]) => (a < b ? -1 : 1))
  const text = { version: 1, default: fallback, files: Object.fromEntries(listed) }
  return { text: JSON.stringify(text, undefined, 2) + '\n' }
}

/** Writes each form. */
export const writers: Record<HeadersForm, Write> = {
  _headers: writeUnderscoreHeaders,
  nginx: writeNginx,
  apache: writeApache,
  json: writeJson,
}
