import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveApp, type TestSite } from '../support/app.ts'
import type { Page } from '../support/page.ts'
import type { SiteOptions } from '../../playground/server.ts'
import { pages } from './framework.ts'

/**
 * What stands first in each page: it keeps what ran and what was refused, over reloads and from page to page too, and when
 * the first page was there.
 */
const recorder = `<script>{
  const kept = { get: () => Number(sessionStorage.evil ?? 0), set: (count) => void (sessionStorage.evil = count) }
  Object.defineProperty(globalThis, '__evil', kept)
  addEventListener('signedimp:refusal', ({ detail }) => {
    sessionStorage.refusals = (sessionStorage.refusals ?? '') + detail.code + ' ' + detail.path + '\\n'
  })
  let shown
  const set = (name) => {
    shown = name
    globalThis.__done ??= performance.now()
  }
  Object.defineProperty(globalThis, '__page', { get: () => shown, set })
}</script>`

/** Serves a copy of a built folder whose pages keep a record. What checks the page's code does not ask for the page's own text. */
export async function serveRecorded(folder: string, options?: SiteOptions): Promise<TestSite> {
  const copy = `${folder}-recorded`
  cpSync(folder, copy, { recursive: true })
  for (const path of filesIn(copy, /\.html$/)) {
    const html = readFileSync(join(copy, path), 'utf8')
    writeFileSync(
      join(copy, path),
      html.replace(/<head[^>]*>/, (head) => head + recorder),
    )
  }
  return serveApp(copy, options)
}

/** The files of a folder whose paths match. */
export const filesIn = (folder: string, pattern: RegExp): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => pattern.test(path))

/** How long an app may take to show a page, in milliseconds. */
const patience = 60_000

/** What a walk through all pages came to. */
export interface Walk {
  /** The pages that were there, in order. */
  reached: string[]
  /** How often code of the attacker ran. */
  evil: number
  /** What was refused: code and path, or what the page tells its reader. */
  refusals: string
  /** Errors that the console has. */
  errors: string[]
}

/** Opens an app and follows its links, until something is refused. */
export async function walk(page: Page, site: TestSite): Promise<Walk> {
  await page.goto(site.url, patience)
  const reached: string[] = []
  for (const name of pages) {
    if (name !== pages[0]) await page.evaluate(click, `a[href^="/${name}"]`).catch(() => {})
    if (!(await isThere(page, name))) break
    reached.push(name)
  }
  // Time for what must not happen.
  if (reached.length < pages.length) await sleep(500)
  const errors = page
    .messages()
    .filter((text) => /^(error|uncaught):/.test(text) && !expected.test(text))
    .map((text) => text.replaceAll(site.url, '/'))
  const { evil, refusals } = await seen(page)
  return { reached, evil, refusals, errors }
}

/**
 * What a browser says of the module that must not load, by which a protected page sees that its map is enforced; and of what is
 * not there, as an icon that only browsers want.
 */
const expected = /data:text\/javascript,self\[|^error: Failed to load resource/

const click = (selector: string): void =>
  (document.querySelector(selector) as HTMLElement | null)?.click()

/** Waits until a page runs, or something is refused. */
async function isThere(page: Page, name: string): Promise<boolean> {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(50)) {
    const { shown, refusals } = await seen(page)
    if (refusals !== '') return false
    if (shown === name) return true
  }
  return false
}

/** A page that is being left cannot answer, and the next one can. */
async function seen(page: Page): Promise<{ shown: unknown; evil: number; refusals: string }> {
  for (let left = 20; left > 0; left--) {
    const found = await page.evaluate(look).catch(() => undefined)
    if (found) return found
    await sleep(100)
  }
  throw new Error('the page does not answer')
}

/** The record is of all pages of the walk, and of an answer of the server that is none of the app's, too. */
function look() {
  const { __page: shown } = globalThis as never as { __page: unknown }
  const { evil, refusals = '' } = sessionStorage
  const alert = document.querySelector('[role=alert]')?.textContent ?? ''
  const told = alert.startsWith('ERR_SIGNEDIMP_') ? alert : ''
  return { shown: shown ?? '', evil: Number(evil ?? 0), refusals: refusals + told }
}
