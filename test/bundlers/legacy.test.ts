import legacy from '@vitejs/plugin-legacy'
import { signedImp } from 'signedimp'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { carrierOf } from '../emit/emitted.ts'
import { buildFixture } from '../support/fixture.ts'
import { check, codeOf, filesIn, outcomeOf, textIn } from './built.ts'

// Vite's plugin for browsers without modules: a second output of System.register chunks, which no import map checks.

const key = await generateKey('ed25519')
const files = {
  'index.html': '<!doctype html><script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import("./lazy.js").then(console.log)',
  'src/lazy.js': 'export default [1].flat()',
}
const build = (unverified: string[] = []) =>
  buildFixture(files, { plugins: [legacy(), signedImp(key, { unverified })] })

test('refused: legacy chunks, naming each, with the line that accepts them', async () => {
  const error = await outcomeOf(build())
  assert.is(codeOf(error), 'ERR_SIGNEDIMP_NOT_COVERED')
  assert.match(error.message, 'assets/index-legacy.js: ')
  assert.match(error.message, 'assets/polyfills-legacy.js: ')
})

test('accepted by name, they are listed, and the modules beside them are protected as ever', async () => {
  const dir = await buildAcceptingAll()
  const { main, pages } = await check(dir, key)
  const legacyFiles = filesIn(dir).filter((path) => path.includes('-legacy.'))
  assert.ok(legacyFiles.length >= 3)
  for (const path of legacyFiles) {
    assert.ok(main.files.has(path))
    assert.match(textIn(dir, path), 'System')
    assert.not.match(textIn(dir, path), '__signedimp')
  }
  const modules = filesIn(dir).filter((path) => /^assets\/(?!.*legacy).*\.js$/.test(path))
  assert.ok(modules.length >= 2)
  for (const path of modules)
    assert.ok(
      [...pages.values()].some(({ files: listed }) => listed.has(path)),
      path,
    )
  assert.ok(carrierOf(textIn(dir, 'index.html')))
})

/** Does what the messages say, as long as they say something new: the two outputs are refused one after the other. */
async function buildAcceptingAll(): Promise<string> {
  for (const accepted: string[] = []; ;) {
    try {
      return await build(accepted)
    } catch (error) {
      const [, list] = /unverified: \[(.*)\]/.exec((error as Error).message) ?? []
      const names = [...(list ?? '').matchAll(/'([^']*)'/g)].map(([, name]) => name!)
      const added = names.filter((name) => !accepted.includes(name))
      if (added.length === 0) throw error
      accepted.push(...added)
    }
  }
}

test.run()
