/** What a hostile or broken host can do to one file: each way turns the honest answer into another. */

/** An answer before it is sent. `stall` says what the connection does instead of just ending. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: Buffer
  stall?: { drop: true } | { abort: true } | { wait: number } | { dribble: number }
}

/** One file's tampering: how, with what, and how many answers it has given so far. */
export interface Tampering {
  way: Way
  detail?: string
  answered: number
}

/** What a way may ask of the server: where a path of a folder is, and what another file holds. */
export interface Host {
  locate(path: string): string
  read(path: string): Promise<Buffer>
}

/** Every way, with one line for a button or a table. */
export const ways = {
  changed: 'a statement of the attacker in front of the real code',
  flipped: 'one letter in another case; still valid code',
  swapped: 'the bytes of another signed file',
  truncated: 'the first half of the file',
  emptied: 'an empty file, with status 200',
  'changed-later': 'the first answer is honest, every later one changed',
  'changed-first': 'the first answer is changed, every later one honest',
  redirected: 'a redirect to a changed copy on the same host',
  'redirected-elsewhere': 'a redirect to another signed file',
  'redirected-same': 'a redirect to the same bytes in a folder whose other files are changed',
  charset: 'the honest bytes, labelled as Latin-1',
  utf16: 'the honest bytes, labelled as UTF-16',
  mime: 'the honest bytes, labelled as plain text',
  html: 'an HTML page with status 200, as a single-page fallback sends it',
  missing: 'status 404',
  error: 'the honest bytes with status 500',
  partial: 'the honest bytes with status 206',
  dropped: 'the connection is closed without an answer',
  aborted: 'the connection is closed in the middle of the file',
  endless: 'an answer that never ends',
  slow: 'the honest file, seconds late',
} as const

/** The name of a way to tamper with a file. */
export type Way = keyof typeof ways

/** The ways whose `detail` must name another file. */
export const needsOther: readonly Way[] = ['swapped', 'redirected-elsewhere']

/** The folder in which every file is changed. */
export const evilFolder = '__evil/'

/** The folder in which a redirected file is honest and every other one is changed. */
export const movedFolder = '__moved/'

/** The statement by which a test sees that altered code was evaluated. */
export const evilStatement = 'globalThis.__evil=(globalThis.__evil||0)+1;'

const fallbackPage = '<!doctype html><html lang="en"><title>App</title><div id="root"></div></html>'

type Change = (
  honest: Answer,
  tampering: Tampering,
  path: string,
  host: Host,
) => Answer | Promise<Answer>

const changes: Record<Way, Change> = {
  changed: (honest, _, path) => ({ ...honest, body: evil(honest.body, path) }),
  flipped: (honest) => ({ ...honest, body: flip(honest.body) }),
  swapped: async (honest, { detail }, _, host) => ({ ...honest, body: await host.read(detail!) }),
  truncated: (honest) => ({ ...honest, body: honest.body.subarray(0, honest.body.length >> 1) }),
  emptied: (honest) => ({ ...honest, body: Buffer.alloc(0) }),
  'changed-later': (honest, { answered }, path) =>
    answered === 0 ? honest : { ...honest, body: evil(honest.body, path) },
  'changed-first': (honest, { answered }, path) =>
    answered === 0 ? { ...honest, body: evil(honest.body, path) } : honest,
  redirected: (_, __, path, host) => redirect(host.locate(evilFolder + path)),
  'redirected-elsewhere': (_, { detail }, __, host) => redirect(host.locate(detail!)),
  'redirected-same': (_, __, path, host) => redirect(host.locate(movedFolder + path)),
  charset: (honest) => relabelled(honest, 'iso-8859-1'),
  utf16: (honest) => relabelled(honest, 'utf-16'),
  mime: (honest) => ({ ...honest, headers: { 'content-type': 'text/plain; charset=utf-8' } }),
  html: () => page(200),
  missing: () => page(404),
  error: (honest) => ({ ...honest, status: 500 }),
  partial: (honest) => ({
    ...honest,
    status: 206,
    headers: {
      ...honest.headers,
      'content-range': `bytes 0-${honest.body.length - 1}/${honest.body.length}`,
    },
  }),
  dropped: (honest) => ({ ...honest, stall: { drop: true } }),
  aborted: (honest) => ({ ...honest, stall: { abort: true } }),
  endless: (honest, { detail }) => ({ ...honest, stall: { dribble: Number(detail ?? 16) } }),
  slow: (honest, { detail }) => ({ ...honest, stall: { wait: Number(detail ?? 3000) } }),
}

/** The answer that the tampering makes of an honest one. */
export function tampered(honest: Answer, tampering: Tampering, path: string, host: Host) {
  return changes[tampering.way](honest, tampering, path, host)
}

/** The file with the attacker's code in front, as far as its type can carry code; never the same bytes. */
export function evil(bytes: Buffer, path: string): Buffer {
  const text = bytes.toString('latin1')
  // Behind a byte order mark, so that the file is still read as what it was.
  const start = text.startsWith('\xef\xbb\xbf') ? 3 : 0
  const at = /\.html?$/.test(path) ? Math.max(start, text.search(/(?<=<head>)/)) : start
  const front = Buffer.from(evilText(path))
  return Buffer.concat([bytes.subarray(0, at), front, bytes.subarray(at)])
}

function evilText(path: string): string {
  if (/\.[cm]?js$/.test(path)) return evilStatement
  if (/\.html?$/.test(path)) return `<script>${evilStatement}</script>`
  if (path.endsWith('.css')) return ':root{--evil:1}'
  if (path.endsWith('.svg')) return '<!--evil-->'
  return 'evil\n'
}

/**
 * Another case for one letter: in a comment on the last line if there is one, else in a string of
 * letters. So the code still parses, and nothing but a check of the bytes can tell.
 */
function flip(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1')
  const lastLine = text.lastIndexOf('\n', text.length - 2) + 1
  const comment = text.startsWith('//', lastLine)
    ? lastLine + text.slice(lastLine).search(/[a-z]/i)
    : -1
  const string = text.search(/(?<=["'`])[a-z](?=[a-z ]*["'`])/i)
  const at = [comment, string].find((place) => place >= 0) ?? bytes.length - 1
  const copy = Buffer.from(bytes)
  if (at >= 0) copy[at]! ^= 0x20
  return copy
}

function relabelled(honest: Answer, charset: string): Answer {
  const type = honest.headers['content-type']!.replace(/;.*/, '')
  return { ...honest, headers: { 'content-type': `${type}; charset=${charset}` } }
}

function redirect(location: string): Answer {
  return { status: 302, headers: { location }, body: Buffer.alloc(0) }
}

function page(status: number): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: Buffer.from(status === 200 ? fallbackPage : '<!doctype html><title>Not found</title>'),
  }
}
