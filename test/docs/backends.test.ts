import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadPublicKey, pageTags, verifyDirectory } from 'signedimp'
import {
  backends,
  buildFor,
  nonce,
  outputOf,
  runRecipe,
  whyNoInterpreter,
} from '../support/backend-recipes.ts'
import { notSelected } from '../support/skip.ts'

// Every configuration of docs/backends.md, built, and its code, run with stand-ins for what the framework brings. That
// the tags start the app, and what Express does, is in test/browser/backends.test.ts.

for (const backend of backends) {
  const { section, source, name = source, command } = backend
  const title = `${section}: the recipe gives the tags of the list`
  const why = whyNoInterpreter(backend)
  if (why) {
    notSelected(title, why)
    continue
  }
  test(title, async () => {
    const root = await buildFor(backend)
    const dir = outputOf(backend, root)
    const [head, withNonce] = await runRecipe(backend, root)
    assert.match(head!, /^<link rel="preload" [^]*<script data-[^]*<link integrity="sha256-/)
    assert.is(head, pageTags(dir, name).head)
    assert.is(withNonce, pageTags(dir, name, { nonce }).head)
    assert.is(withNonce!.split(` nonce="${nonce}"`).length - 1, countTags(head!), command)
    const key = await loadPublicKey(join(root, 'release.pem.pub'))
    await verifyDirectory(dir, [key], { name: 'shop' })
  })
}

const countTags = (head: string): number => head.match(/^<(link|script)\b/gm)!.length

test('the Vite list names no entry of a backend, so that no tag starts it unchecked', async () => {
  const laravel = backends.find(({ section }) => section === 'Laravel')!
  const dir = outputOf(laravel, await buildFor(laravel))
  const listed = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8'))
  assert.not.ok('resources/js/app.js' in listed)
  assert.ok('resources/js/cart.js' in listed)
})

test.run()
