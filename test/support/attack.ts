import { appendFileSync } from 'node:fs'
import { suite } from 'uvu'
import {
  inEngines,
  selectedEngines,
  engines as allEngines,
  type Engine,
  type EngineName,
  type Page,
} from './browsers.ts'
import { appBundlers, type AppBundler } from './app.ts'
import { whyMissing } from './binaries.ts'
import { notSelected } from './skip.ts'

/** The suite that holds the attacks of a file; the file ends with `attacks.run()`. */
export const attacks = suite('attacks')

/**
 * What became of one attack in one place; a line of the log that the table of results is made from. Each
 * run has two lines: `planned` when it is registered, so that one that never ends is not forgotten.
 */
export interface AttackRun {
  /** The name of the test: the same in both lines. */
  id: string
  number: number
  title: string
  /** An engine or Node, with its version. */
  where: string
  variant: string
  /** As the body said: `refused …`, `documented limit: …`, `ok …`; else `failed: …`, `not run: …`, `planned`. */
  outcome: string
  ms: number
}

/** Options of an attack on a page. */
export interface PageAttack {
  engines: readonly EngineName[] | 'all'
  variants?: readonly string[]
  /** Turns to the app as a bundler has built it. Without it there is one app only. */
  turnTo?: (bundler: AppBundler) => void
}

/** Options of an attack that needs no page. */
export interface PlainAttack {
  engines?: never
  variants?: readonly string[]
  /** Whether it is fast enough for `npm test -- --quick`. */
  quick?: boolean
}

/** How an attack ended: `refused <code>`, `documented limit: <what>` or `ok <what>`. */
export type Outcome = string

type PageBody = (page: Page, engine: Engine, variant: string) => Outcome | Promise<Outcome>
type PlainBody = (variant: string) => Outcome | Promise<Outcome>

/**
 * Registers an attack of attacks.md by its number. The body throws when the attack succeeds, and returns
 * its outcome otherwise. `npm run attacks` runs every variant on the app of every bundler in every engine; `npm test`
 * spreads the variants over the engines, and the bundlers over those.
 */
export function attack(number: number, title: string, options: PageAttack, body: PageBody): void
export function attack(number: number, title: string, options: PlainAttack, body: PlainBody): void
export function attack(
  number: number,
  title: string,
  options: PageAttack | PlainAttack,
  body: PageBody | PlainBody,
): void {
  if (options.engines) onPages(number, title, options, body as PageBody)
  else inNode(number, title, options, body as PlainBody)
}

function onPages(number: number, title: string, options: PageAttack, body: PageBody) {
  const engines = options.engines === 'all' ? allEngines : options.engines
  const variants = options.variants ?? ['']
  engines.forEach((name, index) => {
    const chosen = process.env.SIGNEDIMP_FULL
      ? variants
      : share(variants, number, index, engines.length)
    for (const variant of chosen)
      for (const bundler of bundlersFor(options, number, variants.indexOf(variant), index)) {
        // As before there was another bundler, so that what is measured over time keeps its name.
        const by = bundler === 'vite' ? variant : [variant, bundler].filter(Boolean).join(', ')
        const id = nameOf(number, title, by)
        const run = { id: `${id} [${name}]`, number, title, variant: by, where: name }
        if (selectedEngines().includes(name)) plan(run, whyMissing(name))
        const judged = (page: Page, engine: Engine) =>
          judge({ ...run, where: `${name} ${engine.version}` }, () => {
            options.turnTo?.(bundler)
            return body(page, engine, variant)
          })
        inEngines(attacks, id, judged, { engines: [name] })
      }
  })
}

/** Each attack meets an app of each bundler in some engine; one of three runs is esbuild's. */
function bundlersFor(
  { turnTo }: PageAttack,
  number: number,
  place: number,
  engine: number,
): readonly AppBundler[] {
  if (!turnTo) return ['vite']
  if (process.env.SIGNEDIMP_FULL) return appBundlers
  const turn = Math.floor((place + number) / allEngines.length) + engine
  return [turn % 3 === 0 ? 'esbuild' : 'vite']
}

function inNode(
  number: number,
  title: string,
  { variants = [''], quick = false }: PlainAttack,
  body: PlainBody,
) {
  for (const variant of variants) {
    const id = nameOf(number, title, variant)
    const run = { id, number, title, variant, where: `node ${process.versions.node}` }
    if (process.env.SIGNEDIMP_QUICK && !quick) {
      notSelected(id, 'not marked quick')
    } else {
      plan(run)
      attacks(id, () => judge(run, () => body(variant)))
    }
  }
}

function nameOf(number: number, title: string, variant: string): string {
  return `${number} ${title}${variant && ` (${variant})`}`
}

/**
 * The variants that one of several engines runs when not all run everywhere: by the attack's number, so
 * that it is the same in every run, and so that together the engines run each variant.
 */
export function share(
  variants: readonly string[],
  number: number,
  index: number,
  engines: number,
): string[] {
  const own = variants.filter((_, place) => (place + number) % engines === index)
  return own.length > 0 ? own : [variants[(index + number) % variants.length]!]
}

type Planned = Omit<AttackRun, 'outcome' | 'ms'>

function plan(run: Planned, missing?: string) {
  log({ ...run, outcome: missing ? `not run: ${missing}` : 'planned', ms: 0 })
}

async function judge(run: Planned, body: () => Outcome | Promise<Outcome>) {
  const start = performance.now()
  const end = (outcome: string) =>
    log({ ...run, outcome, ms: Math.round(performance.now() - start) })
  try {
    const outcome = await body()
    if (!/^(refused|documented limit:|ok) \S/.test(outcome)) {
      throw new Error(
        `an attack ends with refused, documented limit: or ok and what; not: ${outcome}`,
      )
    }
    end(outcome)
  } catch (error) {
    end(`failed: ${String(error instanceof Error ? error.message : error).split('\n')[0]}`)
    throw error
  }
}

function log(run: AttackRun) {
  const file = process.env.SIGNEDIMP_ATTACK_LOG
  if (file) appendFileSync(file, `${JSON.stringify(run)}\n`)
}
