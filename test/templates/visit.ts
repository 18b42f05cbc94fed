import * as assert from 'uvu/assert'
import { serveRecorded, filesIn } from '../frameworks/walk.ts'
import type { TestSite } from '../support/app.ts'
import type { Engine, Page } from '../support/page.ts'

/** A served app, and what of its folder pages load. */
export interface Served {
  site: TestSite
  scripts: string[]
  styles: string[]
}

/** Serves a built template. */
export const serveTemplate = async (folder: string): Promise<Served> => ({
  site: await serveRecorded(folder),
  scripts: filesIn(folder, /\.js$/),
  styles: filesIn(folder, /\.css$/),
})

/** What became of a page. */
export interface Seen {
  /** Whether its counter counts. */
  counts: boolean
  /** How often code of the attacker ran. */
  evil: number
  /** Whether a stylesheet of the attacker is applied. */
  isStyled: boolean
  /** What was refused: code and path. */
  refusals: string
}

/** Opens a template's page, with one file changed if one is named, and clicks its counter. */
export async function visit(engine: Engine, { site }: Served, changed?: string): Promise<Seen> {
  site.reset()
  if (changed !== undefined) site.tamper(changed, 'changed')
  const page = await engine.open(site.url)
  try {
    return await count(page)
  } finally {
    await page.close()
  }
}

/** Each template has a button that counts; Lit's is in a shadow. */
function count(page: Page): Promise<Seen> {
  return page.evaluate(async () => {
    const sleep = (ms: number) => new Promise((settle) => setTimeout(settle, ms))
    const roots = () => [document, document.querySelector('my-element')?.shadowRoot ?? document]
    const button = () =>
      roots()
        .flatMap((root) => [...root.querySelectorAll('button')])
        .find(({ textContent }) => /count/i.test(textContent))
    const refusals = () => sessionStorage.refusals ?? ''
    for (let turn = 0; turn < 60 && !button() && refusals() === ''; turn++) await sleep(100)
    const says = () => button()?.textContent ?? ''
    const before = says()
    // It may be there before it listens.
    for (let turn = 0; turn < 10 && before !== '' && says() === before; turn++) {
      button()?.click()
      await sleep(100)
    }
    // Time for what must not happen.
    await sleep(300)
    const style = getComputedStyle(document.documentElement).getPropertyValue('--evil')
    return {
      counts: says() !== before,
      evil: Number(sessionStorage.evil ?? 0),
      isStyled: style.trim() === '1',
      refusals: refusals(),
    }
  })
}

/** What became of a template in an engine. */
export interface Outcome {
  scripts: number
  refused: number
  styles: number
}

const works: Seen = { counts: true, evil: 0, isStyled: false, refusals: '' }

/**
 * Changes each script and each stylesheet of the plain app, where it runs or is applied if the page needs it, and of the
 * signed one, where none does.
 * @throws AssertionError where the signed app does not work as the plain one, or a file that is needed is not refused
 */
export async function attack(engine: Engine, plain: Served, signed: Served): Promise<Outcome> {
  const needed = { scripts: 0, styles: 0 }
  assert.equal(await visit(engine, plain), works, 'plain')
  for (const path of plain.scripts)
    needed.scripts += Number((await visit(engine, plain, path)).evil > 0)
  for (const path of plain.styles)
    needed.styles += Number((await visit(engine, plain, path)).isStyled)
  assert.ok(needed.scripts > 0, 'no script is needed')

  assert.equal(await visit(engine, signed), works, 'signed')
  let refused = 0
  for (const path of signed.scripts) {
    const { evil, refusals, counts } = await visit(engine, signed, path)
    assert.is(evil, 0, `${path} ran`)
    assert.ok(counts || refusals.includes(path), `${path}: ${refusals}`)
    if (refusals.includes(path)) refused++
  }
  assert.ok(refused >= needed.scripts, `${refused} of ${needed.scripts} are refused`)
  for (const path of signed.styles)
    assert.equal(await visit(engine, signed, path), works, `${path} is applied`)
  assert.is(signed.styles.length, plain.styles.length)
  assert.is(needed.styles, plain.styles.length)
  return { scripts: signed.scripts.length, refused, styles: signed.styles.length }
}
