import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findPackageName } from '../../src/tree/package-name.ts'
import { folderOf } from './folder.ts'

const nested = async (files: Record<string, string>) => {
  const dir = join(await folderOf(files), 'app/src')
  mkdirSync(dir, { recursive: true })
  return dir
}

test('the nearest package.json with a name gives it', async () => {
  const dir = await nested({
    'package.json': '{"name":"workspace"}',
    'app/package.json': '{"name":"@shop/web"}',
    'app/src/package.json': '{"type":"module"}',
  })
  assert.is(await findPackageName(dir), '@shop/web')
})

test('a package.json that is no JSON is an error, and no other package’s name', async () => {
  const dir = await nested({ 'package.json': '{"name":"workspace"}', 'app/package.json': '{' })
  const error = await findPackageName(dir).catch((caught) => caught)
  assert.instance(error, TypeError)
  assert.match(error.message, /package\.json is no JSON/)
})

test('without one there is no name', async () => {
  assert.is(await findPackageName(await nested({})), undefined)
})

test.run()
