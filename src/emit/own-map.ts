/** Import maps that a page has of its own, as they are written. */

/** What names mean: addresses, or nothing. */
export type Table = Map<string, string | null>

/** What a page's import maps say together. */
export interface WrittenMap {
  imports: Table
  scopes: Map<string, Table>
  integrity: Map<string, string>
}

/** Says what is wrong with a map. */
export type Refuse = (what: string) => never

/**
 * Reads the import maps of a page (HTML, "parse an import map string" and "merge existing and new import maps"), strictly:
 * what browsers would leave out with a warning is refused.
 */
export function readImportMaps(texts: readonly string[], refuse: Refuse): WrittenMap {
  const whole: WrittenMap = { imports: new Map(), scopes: new Map(), integrity: new Map() }
  for (const text of texts) {
    const map = readObject(parse(text, refuse), 'the map', refuse)
    const strange = Object.keys(map).find((key) => !Object.hasOwn(whole, key))
    if (strange !== undefined) refuse(`"${strange}" is no part of one`)
    const { imports = {}, scopes = {}, integrity = {} } = map
    addNames(whole.imports, imports, '"imports"', refuse)
    for (const [prefix, names] of Object.entries(readObject(scopes, '"scopes"', refuse))) {
      const table = whole.scopes.get(prefix) ?? new Map()
      whole.scopes.set(prefix, table)
      addNames(table, names, `the scope "${prefix}"`, refuse)
    }
    for (const [address, value] of Object.entries(readObject(integrity, '"integrity"', refuse))) {
      if (typeof value !== 'string') refuse(`the integrity of "${address}" is no text`)
      add(whole.integrity, address, value as string, refuse)
    }
  }
  return whole
}

function parse(text: string, refuse: Refuse): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return refuse(`it is no JSON (${(error as Error).message})`)
  }
}

function readObject(value: unknown, what: string, refuse: Refuse): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse(`${what} is no object`)
  return value as Record<string, unknown>
}

function addNames(table: Table, names: unknown, what: string, refuse: Refuse): void {
  for (const [name, address] of Object.entries(readObject(names, what, refuse))) {
    if (typeof address !== 'string' && address !== null)
      refuse(`"${name}" means ${JSON.stringify(address)}, which is no address`)
    add(table, name, address as string | null, refuse)
  }
}

/** Of two maps that say the same thing differently browsers obey the first, if they read the second at all. */
export function add<Value>(
  table: Map<string, Value>,
  key: string,
  value: Value,
  refuse: Refuse,
): void {
  if (table.has(key) && table.get(key) !== value) refuse(`it says two things of "${key}"`)
  table.set(key, value)
}

/** Hashes by their kind, of as many bytes as there must be: an engine takes no notice of any other spelling. */
const integrityPattern =
  /^(?:sha256-[A-Za-z\d+/]{43}=|sha384-[A-Za-z\d+/]{64}|sha512-[A-Za-z\d+/]{86}==)$/

/** Whether a text is one hash that every browser obeys (SRI §3.3). */
export const isIntegrity = (text: string): boolean =>
  integrityPattern.test(text) &&
  Buffer.from(text.slice(7), 'base64').toString('base64') === text.slice(7)

/** Hosts that are the reader's own machine, to which nobody else answers. */
const isLoopback = ({ hostname }: URL): boolean => /^(localhost|127\.0\.0\.1)$/.test(hostname)

/** Why a URL cannot be that of an external module, if so. */
export function whyNotExternal(url: URL): string | undefined {
  const { protocol, username, password, href } = url
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(url))) return 'is not https'
  if (username || password) return 'has a user name'
  return href.includes('#') ? 'has a fragment' : undefined
}
