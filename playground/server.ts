/** A static server on the loopback interface that can tamper with what it serves. */
import { createHash } from 'node:crypto'
import { existsSync, realpathSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, sep } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import {
  evil,
  evilFolder,
  movedFolder,
  needsOther,
  tampered,
  ways,
  type Answer,
  type Host,
  type Tampering,
  type Way,
} from './tamper.ts'

/** How a site is served. */
export interface SiteOptions {
  /** @default 0, a free one */
  port?: number
  /** The folder of the URL under which the files are, with both slashes. @default '/' */
  base?: string
  /** Milliseconds before each response. @default 0 */
  latency?: number
  /** Headers of every response, or of a path's; they win over the server's own. */
  headers?: Record<string, string> | ((path: string) => Record<string, string>)
  /** `no-cache` answers with an ETag; `max-age` is a year, but HTML and the manifest stay `no-cache`. @default 'no-store' */
  cache?: 'no-store' | 'no-cache' | 'max-age'
  /** Whether other origins may read. @default false */
  cors?: boolean
  /** Whether text is compressed for those who accept it. @default false */
  gzip?: boolean
  /** Asked first; true means that it answered. Outside `base`, `path` is the whole path with its leading slash. */
  handle?: (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ) => boolean | Promise<boolean>
}

/** A request that came in. The status is 0 as long as there is no answer, and for a dropped connection. */
export interface SeenRequest {
  path: string
  method: string
  headers: IncomingHttpHeaders
  status: number
  /** What the browser says that it is for (`Sec-Fetch-Dest`), or an empty string. */
  destination: string
}

/** A running server. */
export interface Site {
  /** Origin and base. */
  url: string
  /** Every request since the start or the last `reset`. */
  requests: SeenRequest[]
  /** Tampers with a file from now on, or leaves it alone again. */
  tamper(path: string, way: Way | undefined, detail?: string): void
  /** Makes every file honest again and forgets the requests. */
  reset(): void
  /** Stops at once, whatever is still being sent. */
  close(): Promise<void>
}

/** Serves the folder `root` on the loopback interface. */
export async function serve(root: string, options: SiteOptions = {}): Promise<Site> {
  const folder = realpathSync(root)
  const { base = '/', port = 0 } = options
  const tamperings = new Map<string, Tampering>()
  const requests: SeenRequest[] = []

  const server = createServer(async (request, response) => {
    const path = pathOf(request.url ?? '', base)
    requests.push(seen(request, response, path ?? request.url ?? ''))
    try {
      if (options.latency) await wait(options.latency)
      if (path !== undefined && (await options.handle?.(request, response, path))) return
      await send(request, response, await answer(path, request.method), path ?? '', options)
    } catch (error) {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' })
      response.end(String(error))
    }
  })

  const host: Host = {
    locate: (path) => base + path.split('/').map(encodeURIComponent).join('/'),
    read: async (path) => readFile(join(folder, path)),
  }

  const answer = async (path: string | undefined, method = 'GET'): Promise<Answer> => {
    if (path === undefined) return notFound
    const inEvil = path.startsWith(evilFolder)
    const inMoved = path.startsWith(movedFolder)
    const plain = inEvil || inMoved ? path.slice(path.indexOf('/') + 1) : path
    const honest = await honestAnswer(folder, plain)
    const tampering = tamperings.get(plain)
    if (honest.status !== 200) return honest
    if (inMoved && tampering?.way === 'redirected-same') return honest
    if (inEvil || inMoved) return { ...honest, body: evil(honest.body, plain) }
    if (!tampering) return honest
    const result = await tampered(honest, tampering, plain, host)
    if (method === 'GET') tampering.answered++
    return result
  }

  const mustExist = (path: string) => {
    if (!fileIn(folder, path)) throw new TypeError(`no file "${path}" to tamper with`)
  }

  server.keepAliveTimeout = 60_000
  await new Promise<void>((ready, fail) => {
    server.once('error', fail)
    server.listen(port, '127.0.0.1', ready)
  })

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`,
    requests,
    tamper(path, way, detail) {
      // A typo here would let a test pass that never tampered with anything.
      mustExist(path)
      if (way !== undefined && !Object.hasOwn(ways, way)) throw new TypeError(`no way "${way}"`)
      if (way && needsOther.includes(way)) mustExist(detail ?? '')
      if (way) tamperings.set(path, { way, answered: 0, ...(detail !== undefined && { detail }) })
      else tamperings.delete(path)
    },
    reset() {
      tamperings.clear()
      requests.length = 0
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

const notFound: Answer = {
  status: 404,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: Buffer.from('<!doctype html><title>Not found</title>'),
}

/** The path below the base, decoded once, or undefined when it is none that a file can have. */
function pathOf(url: string, base: string): string | undefined {
  const pathname = url.replace(/[?#].*$/s, '')
  const inside = pathname.startsWith(base)
  try {
    const path = decodeURIComponent(inside ? pathname.slice(base.length) : pathname)
    const file = inside && /(^|\/)$/.test(path) ? `${path}index.html` : path
    // One spelling a file, or a second one would get past the tampering with the first.
    const segments = inside ? file.split('/') : []
    const odd = segments.some((segment) => ['', '.', '..'].includes(segment))
    return odd || /[\\\0]/.test(file) ? undefined : file
  } catch {
    return undefined
  }
}

function seen(request: IncomingMessage, response: ServerResponse, path: string): SeenRequest {
  const { method = '', headers } = request
  return {
    path,
    method,
    headers,
    // Asked of the response, so that a handler's answers count too.
    get status() {
      return response.headersSent ? response.statusCode : 0
    },
    destination: String(headers['sec-fetch-dest'] ?? ''),
  }
}

function fileIn(folder: string, path: string): string | undefined {
  const file = join(folder, path)
  if (path === '' || path.startsWith('/') || !existsSync(file)) return undefined
  const real = realpathSync(file)
  return real.startsWith(folder + sep) && statSync(real).isFile() ? real : undefined
}

async function honestAnswer(folder: string, path: string): Promise<Answer> {
  const file = fileIn(folder, path)
  if (!file) return notFound
  const type = types[extname(file)] ?? 'application/octet-stream'
  return { status: 200, headers: { 'content-type': type }, body: await readFile(file) }
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  path: string,
  options: SiteOptions,
): Promise<void> {
  const { method = 'GET', headers } = request
  const { stall } = answer
  if (stall && 'drop' in stall) return void response.destroy()
  if (stall && 'wait' in stall) await wait(stall.wait)

  if (method === 'OPTIONS') answer = { status: 204, headers: {}, body: Buffer.alloc(0) }
  else if (method !== 'GET' && method !== 'HEAD') answer = { ...notFound, status: 405 }
  const own = { ...answer.headers, ...caching(answer, path, options), ...sharing(headers, options) }
  if (own.etag && headers['if-none-match'] === own.etag) answer = { ...answer, status: 304 }
  const packed = pack(answer, own, headers, options)
  const chosen = typeof options.headers === 'function' ? options.headers(path) : options.headers
  for (const [name, value] of Object.entries({ ...own, ...chosen })) response.setHeader(name, value)

  response.statusCode = answer.status
  if (stall && 'dribble' in stall) return dribble(response, stall.dribble)
  if (answer.status !== 304 && answer.status !== 204) {
    response.setHeader('content-length', packed.length)
  }
  if (stall && 'abort' in stall) {
    response.write(packed.subarray(0, packed.length >> 1), () => response.destroy())
    return
  }
  response.end(method === 'HEAD' || answer.status === 304 ? undefined : packed)
}

function caching(answer: Answer, path: string, options: SiteOptions): Record<string, string> {
  const { cache = 'no-store' } = options
  if (cache === 'no-store') return { 'cache-control': 'no-store' }
  const lives = cache === 'max-age' && !/\.html$|(^|\/)signedimp-manifest\.txt$/.test(path)
  if (lives) return { 'cache-control': 'public, max-age=31536000' }
  if (answer.status !== 200) return { 'cache-control': 'no-cache' }
  const etag = `"${createHash('sha256').update(answer.body).digest('hex').slice(0, 16)}"`
  return { 'cache-control': 'no-cache', etag }
}

function sharing(headers: IncomingHttpHeaders, { cors }: SiteOptions): Record<string, string> {
  if (!cors) return {}
  return {
    'access-control-allow-origin': headers.origin ?? '*',
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': headers['access-control-request-headers'] ?? '*',
    'timing-allow-origin': '*',
    vary: 'origin',
  }
}

/** Compresses the body where that is wanted, and says so in `own`. */
function pack(
  answer: Answer,
  own: Record<string, string>,
  headers: IncomingHttpHeaders,
  { gzip }: SiteOptions,
): Buffer {
  const text = /^(text\/|application\/(json|manifest)|image\/svg)/.test(own['content-type'] ?? '')
  if (!gzip || !text || !/\bgzip\b/.test(String(headers['accept-encoding']))) return answer.body
  own['content-encoding'] = 'gzip'
  own.vary = own.vary ? `${own.vary}, accept-encoding` : 'accept-encoding'
  return gzipSync(answer.body)
}

/** Sends spaces for ever. */
function dribble(response: ServerResponse, size: number): void {
  const bytes = Buffer.alloc(size, ' ')
  const timer = setInterval(() => response.writableNeedDrain || response.write(bytes), 50)
  response.once('close', () => clearInterval(timer))
  response.write(bytes)
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.xml': 'text/xml; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}
