import { basename } from 'node:path'
import * as assert from 'uvu/assert'
import type { TestSite } from '../support/app.ts'
import type { Engine } from '../support/page.ts'
import { pages, type Framework } from './framework.ts'
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
  const clean = await visit(engine, site)
  assert.equal([clean.reached, clean.evil], [[...pages], 0], clean.errors.join('\n'))
  const needed: string[] = []
  for (const path of scripts) if ((await visit(engine, site, path)).evil > 0) needed.push(path)
  return needed
}

/** What became of the attacks on a protected app. */
export interface Outcome {
  /** Scripts that were changed, one after the other. None ran. */
  changed: number
  /** How many of them were refused aloud; with all others the walk went on as before. */
  refused: number
}

/**
 * Changes each script of a protected app. @param needed what ran in the plain app
 * @throws AssertionError where the app does not work as before, a changed script runs, or one that is needed is not refused
 */
export async function attack(
  engine: Engine,
  { site, scripts }: Target,
  needed: string[],
  framework: Framework,
): Promise<Outcome> {
  const clean = await visit(engine, site)
  assert.equal({ ...clean, errors: [] }, { reached: [...pages], evil: 0, refusals: '', errors: [] })
  const refused: string[] = []
  for (const path of scripts) {
    const { evil, reached, refusals } = await visit(engine, site, path)
    assert.is(evil, 0, `${path} ran`)
    if (refusals.includes(basename(path))) refused.push(path)
    else assert.equal([reached, refusals], [[...pages], ''], path)
  }
  // A build with the plugin gives its chunks other names.
  const missed = framework.plugin
    ? needed.slice(refused.length)
    : needed.filter((path) => !refused.includes(path))
  assert.equal(missed, [], 'needed, and not refused')
  return { changed: scripts.length, refused: refused.length }
}
