import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { binaryOf } from './binaries.ts'
import { expressionOf, poll, valueOf, type InPage } from './evaluate.ts'
import type { Engine, Page } from './page.ts'
import { scratchFolder, startHelper, type Helper } from './processes.ts'

/** Starts a display for WebKitGTK. Every page is a driver and a browser of its own: a driver has one session. */
export async function launchWebKit(): Promise<Engine> {
  const args = ['-displayfd', '1', '-screen', '0', '1280x800x24', '-nolisten', 'tcp']
  const display = await startHelper(binaryOf('webkit', 'Xvfb'), args, { ready: /^(\d+)\n/m })
  const folder = scratchFolder()
  const env = {
    DISPLAY: `:${display.ready}`,
    HOME: folder,
    TMPDIR: folder,
    NO_AT_BRIDGE: '1',
    // There is no graphics card to hand layers to; to look for one takes each session long.
    WEBKIT_DISABLE_COMPOSITING_MODE: '1',
  }
  const open = new Set<Page>()
  try {
    return {
      name: 'webkit',
      version: await versionOf(env),
      open: (url) => openSession(env, open, url),
      close: async () => {
        await Promise.all([...open].map((page) => page.close()))
        await display.stop()
      },
    }
  } catch (error) {
    await display.stop()
    throw error
  }
}

async function versionOf(env: Record<string, string>): Promise<string> {
  const options = { env: { ...process.env, ...env }, timeout: 20_000 }
  const { stdout } = await promisify(execFile)(
    binaryOf('webkit', 'MiniBrowser'),
    ['--version'],
    options,
  )
  return /\d[\d.]*/.exec(stdout)?.[0] ?? 'unknown'
}

async function openSession(
  env: Record<string, string>,
  open: Set<Page>,
  url?: string,
): Promise<Page> {
  const port = await freePort()
  const driver = await startHelper(
    binaryOf('webkit', 'WebKitWebDriver'),
    [`--port=${port}`, '--host=127.0.0.1'],
    { env },
  )
  try {
    const page = await pageOf(driver, `http://127.0.0.1:${port}`, () => open.delete(page))
    open.add(page)
    if (url !== undefined) await page.goto(url)
    return page
  } catch (error) {
    await driver.stop()
    throw error
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address() as { port: number }
  await new Promise((done) => server.close(done))
  return port
}

type Command = (method: 'GET' | 'POST', path: string, body?: object) => Promise<unknown>

async function pageOf(driver: Helper, origin: string, onClose: () => void): Promise<Page> {
  await poll(() => command(origin, 'GET', '/status').then(() => true), 'WebKitWebDriver', 10_000)
  const session = await newSession(origin)
  const call: Command = (method, path, body) => command(origin, method, `${session}${path}`, body)
  const evaluate = async <T, A extends unknown[]>(work: InPage<T, A>, ...args: A) =>
    valueOf<T>(await execute(call, expressionOf(work, args)))
  return {
    goto: (url, timeoutMs = 10_000) => goto(call, url, timeoutMs),
    evaluate,
    waitFor: (work, timeoutMs = 10_000) => poll(() => evaluate(work), String(work), timeoutMs),
    messages: () => [],
    screenshot: async (file) => writeFile(file, String(await call('GET', '/screenshot')), 'base64'),
    close: async () => {
      onClose()
      await driver.stop()
    },
  }
}

async function newSession(origin: string): Promise<string> {
  // Loading is watched by goto() itself: under any other strategy a page that never loads blocks every command.
  const alwaysMatch = {
    pageLoadStrategy: 'none',
    unhandledPromptBehavior: 'dismiss',
    timeouts: { script: 60_000 },
  }
  const created = await command(origin, 'POST', '/session', { capabilities: { alwaysMatch } })
  return `/session/${(created as { sessionId: string }).sessionId}`
}

async function command(
  origin: string,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const signal = AbortSignal.timeout(65_000)
  const response = await fetch(`${origin}${path}`, {
    method,
    signal,
    ...(body && { body: JSON.stringify(body) }),
  })
  const { value } = (await response.json()) as { value: unknown }
  if (response.ok) return value
  const { error, message } = value as { error: string; message: string }
  throw new Error(
    `WebKitWebDriver ${method} ${path.split('/').slice(3).join('/')}: ${error} ${message}`,
  )
}

function execute(call: Command, expression: string): Promise<unknown> {
  const script = `const done = arguments[arguments.length - 1]; (${expression}).then(done)`
  return call('POST', '/execute/async', { script, args: [] })
}

// Set on the document that is left, so that the new one is known by its absence.
const leaving = '__signedimpLeaving'

async function goto(call: Command, url: string, timeoutMs: number) {
  const deadline = Date.now() + timeoutMs
  const look = (script: string) => call('POST', '/execute/sync', { script, args: [] })
  const before = String(await look(`window.${leaving} = true; return location.href`))
  await call('POST', '/url', { url })
  if (url.includes('#') && url.split('#')[0] === before.split('#')[0]) return
  const state = `return window.${leaving} ? '' : document.readyState === 'complete' && location.href`
  while (Date.now() < deadline) {
    const address = await look(state).catch(() => '')
    if (address === 'about:blank' && !url.startsWith('about:'))
      throw new Error(`${url} cannot be opened`)
    if (address) return
    await sleep(20)
  }
}
