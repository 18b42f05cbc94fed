import { basename } from 'node:path'
import * as assert from 'uvu/assert'
import type { TestSite } from '../support/app.ts'
import type { Engine } from '../support/page.ts'
import { pages } from './framework.ts'
import { walk, type Walk } from './walk.ts'

/** A served app, and the scripts of its folder. */
export interface Target {
  site: TestSite
  scripts: string[]
}

/** Walks through an app, with a statement of the attacker in front of a script if one is named. */
export async function visit(engine: Engine, site: TestSite, changed?: string): Promise<Walk> {
  site.reset()
  if (changed !== undefined) site.tamper(changed, 'changed')
  const page = await engine.open()
  const seen = await walk(page, site)
  await page.close()
  return seen
}

/** Scripts of a plain app that run on the walk when they are changed: an attack on another one proves nothing. */
export async function findNeeded(engine: Engine, { site, scripts }: Target): Promise<string[]> {
  const needed: string[] = []
  for (const path of scripts) if ((await visit(engine, site, path)).evil > 0) needed.push(path)
  return needed
}

/** An app, without protection and with it. */
export interface Attacked {
  plain: Target
  signed: Target
  /** What runs on the walk through the plain app. */
  needed: string[]
  /** Whether the scripts have other names in the protected app, as the plugin gives them. */
  isRenamed: boolean
}

/** What became of the attacks on a protected app. */
export interface Outcome {
  /** Scripts that were changed, one after the other. None ran. */
  changed: number
  /** How many of them were refused aloud; with all others the walk went on as before. */
  refused: number
}

/**
 * Changes each script of a protected app.
 * @throws AssertionError where the app does not work as before, a changed script runs, or one that is needed is not refused
 */
export async function attack(engine: Engine, attacked: Attacked): Promise<Outcome> {
  const { plain, signed, needed, isRenamed } = attacked
  const before = await visit(engine, plain.site)
  expectWorking({ ...before, errors: [] }, 'the plain app')
  const clean = await visit(engine, signed.site)
  const errors = clean.errors.filter((text) => !before.errors.includes(text))
  expectWorking({ ...clean, errors }, 'the protected app')
  const refused: string[] = []
  for (const path of signed.scripts) {
    const seen = await visit(engine, signed.site, path)
    assert.is(seen.evil, 0, `${path} ran`)
    if (seen.refusals.includes(basename(path))) refused.push(path)
    else expectWorking({ ...seen, errors: [] }, path)
  }
  const own = refused.filter((path) => !basename(path).startsWith('signedimp-'))
  const missed = isRenamed
    ? needed.slice(own.length)
    : needed.filter((path) => !refused.includes(path))
  assert.equal(missed, [], 'needed, and not refused')
  return { changed: signed.scripts.length, refused: refused.length }
}

const works: Walk = { reached: [...pages], evil: 0, refusals: '', errors: [] }

const expectWorking = (seen: Walk, what: string): void =>
  assert.equal(seen, works, `${what}: ${JSON.stringify(seen)}`)
