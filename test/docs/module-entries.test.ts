import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadPublicKey, verifyDirectory } from 'signedimp'
import {
  blocksOfRecipe,
  buildRecipe,
  readList,
  recipes,
  sha256,
  titleOf,
} from '../support/entry-recipes.ts'

// Every configuration of docs/module-entries.md, built. What the bundler parts of Laravel and Rails do to it is done by
// stand-ins: see test/support/entry-recipes.ts.

for (const recipe of recipes)
  test(`${titleOf(recipe)}: the entry checks itself, and its integrity is told`, async () => {
    const { root, dir, entry, integrity, main, tags } = await buildRecipe(recipe)
    const code = readFileSync(join(dir, entry))
    assert.is(sha256(code), integrity)
    assert.not.match(code.toString(), 'the app itself')
    assert.match(tags, `integrity="${integrity}"`)

    assert.is(main.length, entry.length)
    assert.ok(main !== entry && existsSync(join(dir, main)))
    const [manifest] = /signedimp-manifest\.[0-9a-f]{16}\.txt/.exec(code.toString())!
    assert.ok(existsSync(join(dir, manifest)))
    const key = await loadPublicKey(join(root, 'release.pem.pub'))
    const { pageManifests } = await verifyDirectory(dir, [key], { name: 'shop' })
    assert.equal(pageManifests, [manifest])

    if (!recipe.list) return
    const listed = readList(recipe, dir)!
    assert.equal([listed.file, listed.integrity, listed.imports], [entry, integrity, undefined])
    assert.is(listed.css?.length, 1)
  })

test('every section with a configuration is tried', () => {
  const sections = [...new Set(recipes.map(({ section }) => section))]
  assert.equal(sections, ['Laravel', 'Rails', 'Django', 'A tag by hand', 'A library'])
  for (const recipe of recipes) assert.is(blocksOfRecipe(recipe, 'js').length, 1)
})

test.run()
