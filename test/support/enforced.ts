import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { SiteOptions } from '../../playground/server.ts'
import { generateKey, type KeyAlgorithm } from '../../src/keys/generate.ts'
import { buildSigned, serveApp, type SignedAppOptions, type TestSite } from './app.ts'
import { attacks } from './attack.ts'
import type { Page } from './page.ts'
import { glance, look, open } from './visit.ts'

/** What may check the modules of a page, and the policy that leaves a page nothing better. */
export const policies = {
  map: '',
  blob: `script-src 'self' blob:`,
  tags: `script-src 'self'`,
} as const

/** What checks the modules of a page. */
export type Enforcement = keyof typeof policies
export const enforcements = Object.keys(policies) as Enforcement[]

/** How {@link EnforcedApp.start} opens the page. */
export interface StartOptions {
  /** A script in front of everything, which policies allow, since it is a file. */
  script?: string
  /** HTML behind that. */
  head?: string
  /** More headers of the page. */
  headers?: Record<string, string>
  /** How long a page may take to load, and then to start or to refuse, in ms. @default 10000 */
  patience?: number
}

/** The app, built so that each of the three can check it. */
export interface EnforcedApp {
  /** What its publisher signs with. */
  key: KeyObject
  folder: string
  site: TestSite
  /** The bytes of a file as it was signed. */
  honest(path: string): Buffer
  /** Opens the page where `enforcement` must check. @returns what the page says in place of the app, or nothing */
  start(page: Page, enforcement: Enforcement, options?: StartOptions): Promise<string>
}

/** Has the app signed and served while a file's attacks run: it is there when they begin. */
export function serveEnforced({
  algorithm = 'ed25519',
  build = {},
  ...options
}: SiteOptions & { algorithm?: KeyAlgorithm; build?: SignedAppOptions } = {}): EnforcedApp {
  const app = { honest: (path) => readFileSync(join(app.folder, path)) } as EnforcedApp
  app.start = (page, enforcement, how = {}) => start(app, page, enforcement, how)
  attacks.before(async () => {
    const signed = { inline: false, tags: true, ...build.signed }
    app.key = await generateKey(algorithm)
    app.folder = await buildSigned(app.key, { ...build, signed })
    app.site = await serveApp(app.folder, options)
  })
  attacks.before.each(() => app.site.reset())
  attacks.after(() => app.site.close())
  return app
}

async function start(
  { site, honest }: EnforcedApp,
  page: Page,
  enforcement: Enforcement,
  { script = '', head = '', headers = {}, patience }: StartOptions,
): Promise<string> {
  const policy: string = policies[enforcement]
  site.reply('first.js', { body: script })
  site.reply('index.html', {
    type: 'text/html; charset=utf-8',
    headers: { ...(policy && { 'content-security-policy': policy }), ...headers },
    body: honest('index.html')
      .toString()
      .replace('<head>', `<head><script src="/first.js"></script>${head}`),
  })
  await page.goto(site.url, patience)
  const { alert, ran, evil } = await look(page, patience && Math.max(patience, 10_000))
  assert.is(evil, 0, 'code of the attacker ran')
  if (alert === '') assert.is(await page.evaluate('__signedimp.enforcement'), enforcement)
  // Tags run one module after the other: what is signed and comes before may have run.
  else
    assert.equal(
      ran.filter((name) => enforcement !== 'tags' || name !== 'dep'),
      [],
    )
  return alert
}

/** Starts the app, and opens a chunk that must be refused, while another one still works. */
export async function startsWithout(
  { start }: EnforcedApp,
  page: Page,
  enforcement: Enforcement,
  name: 'a' | 'solo',
  code: string,
  options?: StartOptions,
): Promise<string> {
  assert.is(await start(page, enforcement, options), '')
  assert.is(await open(page, name), `ERR_SIGNEDIMP_${code} assets/${name}.js`)
  const [other, text] = name === 'solo' ? (['b', 'b café'] as const) : (['solo', 'solo'] as const)
  assert.is(await open(page, other), text)
  const { evil, ran } = await glance(page)
  assert.equal([evil, ran.includes(name)], [0, false])
  return `refused ERR_SIGNEDIMP_${code}`
}

/**
 * Rows of a table where no map checks, as variants: each from blobs and by tags. {@link rowOf} takes them apart. Of long
 * tables, rows take turns, but for the table of results.
 */
export const everyRow = (rows: object): { engines: 'all'; variants: string[] } => {
  const names = Object.keys(rows)
  const isShort = names.length < 5 || process.env.SIGNEDIMP_FULL !== undefined
  const variants = (['blob', 'tags'] as const).flatMap((left, turn) =>
    names.filter((_, at) => isShort || at % 2 === turn).map((row) => `${left}: ${row}`),
  )
  return { engines: 'all', variants }
}

/** What checks, and the row, of a variant. */
export const rowOf = (variant: string): [left: 'blob' | 'tags', row: string] => [
  variant.slice(0, 4) as 'blob' | 'tags',
  variant.slice(6),
]

/** Code of the attacker must not have run, and none of these modules. */
export async function nothingEvil(page: Page, ...names: string[]): Promise<void> {
  const { evil, ran } = await glance(page)
  assert.is(evil, 0, 'code of the attacker ran')
  for (const name of names) assert.not.ok(ran.includes(name), `${name} ran`)
}
