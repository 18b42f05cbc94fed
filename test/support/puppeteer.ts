import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import puppeteer, {
  TimeoutError,
  type Browser,
  type CDPSession,
  type Frame,
  type Page as Tab,
} from 'puppeteer-core'
import { binaryOf } from './binaries.ts'
import { expressionOf, poll, valueOf, type InPage } from './evaluate.ts'
import type { Engine, Page } from './page.ts'
import { scratchFolder, startHelper, type Helper } from './processes.ts'

/** Starts Chromium, driven over the DevTools protocol. */
export async function launchChromium(): Promise<Engine> {
  const folder = scratchFolder()
  const flags =
    'disable-gpu disable-quic no-first-run disable-background-networking disable-component-update disable-sync'
  const args = flags.split(' ').map((flag) => `--${flag}`)
  const helper = await startHelper(
    binaryOf('chromium', 'chromium'),
    [
      '--headless=new',
      '--no-sandbox',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
      ...args,
      'about:blank',
    ],
    { ready: /DevTools listening on (ws:\S+)/, env: { HOME: folder, TMPDIR: folder } },
  )
  return connect('chromium', helper, { browserWSEndpoint: helper.ready, protocol: 'cdp' })
}

/** Starts Firefox, driven over WebDriver BiDi. Its settings are the defaults, but for start-up pages. */
export async function launchFirefox(): Promise<Engine> {
  const folder = scratchFolder()
  const settings = { 'browser.shell.checkDefaultBrowser': false, 'browser.startup.page': 0 }
  const lines = Object.entries(settings).map(([name, value]) => `user_pref("${name}", ${value});`)
  await writeFile(join(folder, 'user.js'), lines.join('\n'))
  const helper = await startHelper(
    binaryOf('firefox', 'firefox'),
    ['--headless', '--no-remote', '--remote-debugging-port=0', '--profile', folder, 'about:blank'],
    { ready: /WebDriver BiDi listening on (ws:\S+)/, env: { HOME: folder, TMPDIR: folder } },
  )
  const browserWSEndpoint = `${helper.ready}/session`
  return connect('firefox', helper, { browserWSEndpoint, protocol: 'webDriverBiDi' })
}

async function connect(
  name: Engine['name'],
  helper: Helper,
  options: { browserWSEndpoint: string; protocol: 'cdp' | 'webDriverBiDi' },
): Promise<Engine> {
  try {
    const browser = await puppeteer.connect({
      ...options,
      defaultViewport: null,
      protocolTimeout: 60_000,
    })
    const version = /\d[\w.]*/.exec(await browser.version())?.[0] ?? 'unknown'
    const wires = options.protocol === 'cdp' ? wiresOfChromium : wiresOfFirefox
    return {
      name,
      version,
      open: (url) => openTab(browser, wires, url),
      close: () => helper.stop(),
    }
  } catch (error) {
    await helper.stop()
    throw error
  }
}

async function openTab(
  browser: Browser,
  wires: typeof wiresOfFirefox,
  url?: string,
): Promise<Page> {
  const context = await browser.createBrowserContext()
  const tab = await context.newPage()
  const page = pageOf(tab, await wires(tab), () => context.close())
  if (url !== undefined) await page.goto(url)
  return page
}

/** What the two protocols do differently. */
interface Wires {
  ask(expression: string): Promise<unknown>
  /** Gives up a navigation that has not even begun to answer. */
  giveUp(): Promise<void>
}

async function wiresOfFirefox(tab: Tab): Promise<Wires> {
  return { ask: (expression) => tab.evaluate(expression), giveUp: async () => {} }
}

async function wiresOfChromium(tab: Tab): Promise<Wires> {
  const session = await tab.createCDPSession()
  return {
    ask: (expression) => askChromium(session, expression),
    // Chromium answers no question about a page that waits for the first byte of the next one.
    giveUp: () => session.send('Page.stopLoading'),
  }
}

/** As tab.evaluate(), which would lift a page's ban on eval() while it runs. */
async function askChromium(session: CDPSession, expression: string): Promise<unknown> {
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression,
    awaitPromise: true,
    returnByValue: true,
    allowUnsafeEvalBlockedByCSP: false,
  })
  if (exceptionDetails === undefined) return result.value
  throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
}

function pageOf(tab: Tab, wires: Wires, close: () => Promise<void>): Page {
  const messages = collectMessages(tab)
  tab.on('dialog', (dialog) => void dialog.dismiss().catch(() => {}))
  const evaluate = async <T, A extends unknown[]>(work: InPage<T, A>, ...args: A) =>
    valueOf<T>(await wires.ask(expressionOf(work, args)))
  return {
    goto: (url, timeoutMs = 10_000) => goto(tab, wires, url, timeoutMs),
    evaluate,
    waitFor: (work, timeoutMs = 10_000) => poll(() => evaluate(work), String(work), timeoutMs),
    messages: () => [...messages],
    screenshot: async (file) => void (await writeFile(file, await tab.screenshot())),
    close: () => close().catch(() => {}),
  }
}

function collectMessages(tab: Tab): string[] {
  const messages: string[] = []
  tab.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`))
  tab.on('pageerror', (error) => messages.push(`uncaught: ${describe(error)}`))
  return messages
}

/** As the page would print it: Firefox puts the name into the message, Chromium does not. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return /^\w*Error\b/.test(error.message) ? error.message : `${error.name}: ${error.message}`
}

async function goto(tab: Tab, wires: Wires, url: string, timeoutMs: number) {
  let arrived = false
  const note = (frame: Frame) => void (arrived ||= frame === tab.mainFrame())
  tab.on('framenavigated', note)
  try {
    await tab.goto(url, { waitUntil: 'load', timeout: timeoutMs })
  } catch (error) {
    if (!(error instanceof TimeoutError))
      throw new Error(`${url} cannot be opened: ${firstLine(error)}`)
    if (!arrived) await wires.giveUp()
  } finally {
    tab.off('framenavigated', note)
  }
}

function firstLine(error: unknown): string {
  return String(error).split(/\n| #on| at http/)[0]!
}
