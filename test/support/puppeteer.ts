import { writeFile } from 'node:fs/promises'
import puppeteer, {
  TimeoutError,
  type Browser,
  type CDPSession,
  type Frame,
  type Page as Tab,
} from 'puppeteer-core'
import { addressVariable, startBrowser, type JoinableName } from './browser-processes.ts'
import { expressionOf, poll, valueOf, type InPage } from './evaluate.ts'
import type { Engine, Page } from './page.ts'

/**
 * Drives Chromium over the DevTools protocol, Firefox over WebDriver BiDi. Where the environment names one that runs,
 * it is that one, in which this process is alone; it goes on when the engine is closed. Else one is started.
 */
export async function launchByPuppeteer(name: JoinableName): Promise<Engine> {
  const address = process.env[addressVariable[name]]
  // One that has ended, or that somebody else in this process drives, is no reason to go without.
  const joined = address && (await connect(name, address).catch(() => undefined))
  if (joined) return engineOf(name, joined, () => joined.disconnect())
  const helper = await startBrowser(name)
  try {
    return await engineOf(name, await connect(name, helper.ready), () => helper.stop())
  } catch (error) {
    await helper.stop()
    throw error
  }
}

function connect(name: JoinableName, browserWSEndpoint: string): Promise<Browser> {
  return puppeteer.connect({
    browserWSEndpoint,
    protocol: name === 'chromium' ? 'cdp' : 'webDriverBiDi',
    defaultViewport: null,
    protocolTimeout: 60_000,
  })
}

async function engineOf(
  name: JoinableName,
  browser: Browser,
  close: () => Promise<void>,
): Promise<Engine> {
  const version = /\d[\w.]*/.exec(await browser.version())?.[0] ?? 'unknown'
  const wires = name === 'chromium' ? wiresOfChromium : wiresOfFirefox
  return { name, version, open: (url) => openTab(browser, wires, url), close }
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
