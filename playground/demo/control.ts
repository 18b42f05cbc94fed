/** The demo server's own side: the panel, and the orders that its buttons give. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Site } from '../server.ts'
import { needsOther, ways, type Way } from '../tamper.ts'

/** A file of the app that the demo can tamper with. */
export interface DemoFile {
  path: string
  role: 'main' | 'lazy' | 'shared' | 'library' | 'runtime' | 'manifest'
  size: number
  /** Whether it is loaded after the page has started, as far as the page's HTML tells. */
  isLater: boolean
}

const panel: Record<string, [file: string, type: string]> = {
  '/': ['panel.html', 'text/html'],
  '/__demo/panel.css': ['panel.css', 'text/css'],
  '/__demo/panel.js': ['panel.js', 'text/javascript'],
  '/__demo/watch.js': ['watch.js', 'text/javascript'],
}

/** The files of a built app that matter to the demo: its page's scripts and manifest. */
export function demoFiles(root: string): DemoFile[] {
  const html = readFileSync(join(root, 'index.html'), 'utf8')
  const scripts = readdirSync(join(root, 'assets')).filter((name) => /^(?!about).*\.js$/.test(name))
  const runtime = readdirSync(root).filter((name) => name.endsWith('.js'))
  const manifest = /data-manifest="(?:[^"]*\/)?([^"/]+)"/.exec(html)?.[1]
  const entry = /\b(?:data-entry|src)="(?:[^"]*(?:\/|%2F))?([^"/]+\.js)"/.exec(html)?.[1]
  const file = (path: string, role: DemoFile['role']) => ({
    path,
    role,
    size: statSync(join(root, path)).size,
    isLater: !html.includes(path),
  })
  return [
    ...scripts.map((name) => file(`assets/${name}`, name === entry ? 'main' : roleOf(name))),
    ...runtime.map((name) => file(name, 'runtime')),
    ...(manifest ? [file(manifest, 'manifest')] : []),
  ]
}

function roleOf(script: string): DemoFile['role'] {
  if (script.startsWith('vendor')) return 'library'
  return /^(Shop|Cart|Visit)/.test(script) ? 'lazy' : 'shared'
}

/** Answers for everything outside the app; the site is only there once it is being served. */
export function control(site: () => Site, root: string, base: string) {
  const chunks = demoFiles(root)
  const isSigned = chunks.some(({ role }) => role === 'manifest')
  const fixed = { base, chunks, ways, needsOther, isSigned }

  return async (request: IncomingMessage, response: ServerResponse, path: string) => {
    if (!path.startsWith('/')) return false
    const [file, type] = panel[path] ?? []
    if (file) reply(response, 200, readFileSync(new URL(file, import.meta.url)), type)
    else if (path === '/__demo/state') {
      const state = { ...fixed, asked: site().requests.map((each) => each.path) }
      reply(response, 200, JSON.stringify(state), 'application/json')
    } else if (path === '/__demo/tamper') await obey(site(), request, response)
    else return false
    return true
  }
}

/** Makes every file honest, and tampers with one if the order names it. */
async function obey(site: Site, request: IncomingMessage, response: ServerResponse) {
  // A page of somebody else can post a form here, but not JSON.
  if (request.headers['content-type'] !== 'application/json') return reply(response, 415, 'no JSON')
  try {
    const { path, way, detail } = await body(request)
    site.reset()
    if (path) site.tamper(path, way, detail)
    reply(response, 200, 'done')
  } catch (error) {
    reply(response, 400, String(error))
  }
}

async function body(request: IncomingMessage) {
  let text = ''
  for await (const part of request) text += part
  return JSON.parse(text) as { path?: string; way: Way; detail?: string }
}

function reply(
  response: ServerResponse,
  status: number,
  content: string | Buffer,
  type = 'text/plain',
) {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-store',
  })
  response.end(content)
}
