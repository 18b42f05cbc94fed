import * as assert from 'uvu/assert'
import type { TestSite } from './app.ts'
import type { Page } from './page.ts'

/** What a page looks like after an attack. */
export interface Seen {
  /** How often code of the attacker ran. */
  evil: number
  /** The modules of the app that ran. */
  ran: string[]
  /** Refusals that were announced: code and path. */
  refusals: string[]
  /** What the reader is told. */
  alert: string
}

/** Waits, for at most `timeoutMs` (10 s), until the app has started or the page has refused, and looks. */
export async function look(page: Page, timeoutMs?: number): Promise<Seen> {
  await page.waitFor(
    () => 'app' in globalThis || document.querySelector('[role=alert]') !== null,
    timeoutMs,
  )
  return glance(page)
}

/** What the page looks like now. */
export function glance(page: Page): Promise<Seen> {
  return page.evaluate(() => {
    const { __evil, ran, refusals } = globalThis as unknown as Record<string, unknown>
    const alert = document.querySelector('[role=alert]')?.textContent ?? ''
    return {
      evil: (__evil ?? 0) as number,
      ran: (ran ?? []) as string[],
      refusals: (refusals ?? []) as string[],
      alert,
    }
  })
}

/** What became of opening a module of the app: its `text`, or why it was refused, as `CODE path`. */
export function open(page: Page, name: 'a' | 'b' | 'solo'): Promise<string> {
  return page.evaluate(
    (module) =>
      (globalThis as never as { app: Record<string, () => Promise<{ text: string }>> }).app[
        module
      ]!().then(
        ({ text }) => text,
        ({ code, name, message, path }) => (code ? `${code} ${path}` : `${name}: ${message}`),
      ),
    name,
  )
}

/** Visits a page that must refuse to start with a code, before anything of the app has run. */
export async function refuses(page: Page, site: TestSite, code: string): Promise<string> {
  await page.goto(site.url)
  const { alert, evil, ran } = await look(page)
  assert.is(alert.split(' ')[0], code, alert)
  assert.equal([evil, ran], [0, []])
  return `refused ${code}`
}

/** Visits a page that must start. */
export async function starts(page: Page, site: TestSite): Promise<void> {
  await page.goto(site.url)
  const { alert, evil, ran } = await look(page)
  assert.is(alert, '')
  assert.equal([evil, ran], [0, ['dep', 'index']])
}

/** Opens a chunk that must be refused, while another one still works. */
export async function refusesChunk(
  page: Page,
  name: 'a' | 'b' | 'solo',
  code: string,
  path = `assets/${name}.js`,
): Promise<string> {
  assert.is(await open(page, name), `${code} ${path}`)
  const other = name === 'solo' ? 'b' : 'solo'
  assert.is(await open(page, other), other === 'solo' ? 'solo' : 'b café')
  const { evil, refusals, ran } = await glance(page)
  assert.equal([evil, ran.includes(name)], [0, false])
  assert.equal(refusals, [`${code} ${path}`])
  return `refused ${code}`
}

/** What became of importing what the app makes up: the module's `text`, or why it was refused, as `CODE path`. */
export const openAny = (page: Page, specifier: string): Promise<string> =>
  page.evaluate((name) => {
    const { app } = globalThis as never as { app: { any(name: string): Promise<{ text: string }> } }
    return app.any(name).then(
      ({ text }) => text,
      ({ code, name, message, path }) => (code ? `${code} ${path}` : `${name}: ${message}`),
    )
  }, specifier)
