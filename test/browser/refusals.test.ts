import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serve } from '../../playground/server.ts'
import { engines, inEngines, type Page } from '../support/browsers.ts'
import { examplesOf, tryExample, type Example } from '../support/examples.ts'
import { root } from '../support/files.ts'
import { headingsOf, linksOf, readDocument, sectionOf } from '../support/markdown.ts'
import { copyApp, lazy, shapeOf, succeed } from '../support/readme-app.ts'

// Every refusal of docs/refusals.md, provoked.

const sections = headingsOf(sectionOf(readDocument('docs/refusals.md'), 'See each for yourself'), 3)

test('every code of a page has a section', () => {
  const errors = readFileSync(join(root, 'src/errors.ts'), 'utf8')
  const [ofPages] = errors.split('// What a build or a tool refuses.')
  const declared = [...ofPages!.matchAll(/^ {2}\| '(\w+)'$/gm)].map(([, code]) => code!)
  assert.ok(declared.length > 10)
  assert.equal(
    sections.map(([code]) => code),
    declared,
  )
})

const honest: Example = { files: {}, setup: '', command: undefined, text: '' }
const buildHonest = lazy(() => tryExample(honest))

/** Builds the app as an example says, and then does to its output what the example does. */
async function makeSite({ files, setup, command = '' }: Example): Promise<string> {
  const built = Object.keys(files).length > 0 ? tryExample({ ...honest, files }) : buildHonest()
  const { folder, error } = await built
  assert.is(error, undefined)
  const copy = copyApp(folder)
  const script = setup + command
  if (script) succeed(script, copy)
  return join(copy, 'dist')
}

/** What the page shows, or what opening the cart gives. */
async function visit(page: Page, folder: string): Promise<string> {
  const site = await serve(folder)
  try {
    await page.goto(site.url)
    await page.waitFor(
      () => 'started' in globalThis || document.querySelector('[role=alert]') !== null,
    )
    return await page.evaluate(async () => {
      const alert = document.querySelector('[role=alert]')
      if (alert) return alert.textContent
      const { openCart } = globalThis as unknown as { openCart: () => Promise<string> }
      return openCart().then(
        (cart) => `no refusal: ${cart}`,
        ({ message }: Error) => message,
      )
    })
  } finally {
    await site.close()
  }
}

sections.forEach(([code, section], at) => {
  const [example] = examplesOf(section)
  if (!example) {
    test(`${code}: the attack that the page names tries it`, () => {
      const paths = linksOf(section).filter((target) => target.includes('/test/attacks/'))
      assert.is(paths.length, 1)
      const file = join(root, 'docs', paths[0]!)
      assert.ok(existsSync(file))
      assert.match(readFileSync(file, 'utf8'), code)
    })
    return
  }
  const check = async (page: Page) => {
    assert.is(example.text.split(' ')[0], code)
    assert.is(shapeOf(await visit(page, await makeSite(example))), shapeOf(example.text))
  }
  // In one engine each: the attacks try them in all.
  const one = [engines[at % engines.length]!]
  inEngines(test, `${code}: a page says what the document says`, check, { engines: one })
})

test.run()
