import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { targetOfLeftover, writeFileAtomically } from '../../src/tree/write.ts'
import { throwsCode } from '../support/throws.ts'
import { folderOf, readFrom } from './folder.ts'

test('a file is replaced whole, and nothing else is left', async () => {
  const dir = await folderOf({ 'm.txt': 'a longer text' })
  await writeFileAtomically(join(dir, 'm.txt'), Buffer.from('new'))
  assert.equal(readdirSync(dir), ['m.txt'])
  assert.is(readFrom(dir, 'm.txt'), 'new')
})

for (const mode of [0o640, 0o600, 0o444, 0o666])
  test(`who may read and write a file stays as it is: ${mode.toString(8)}`, async () => {
    const dir = await folderOf({ 'm.txt': 'old' })
    chmodSync(join(dir, 'm.txt'), mode)
    await writeFileAtomically(join(dir, 'm.txt'), Buffer.from('new'))
    assert.is(statSync(join(dir, 'm.txt')).mode & 0o777, mode)
  })

test('what an interrupted write left is known by its name', () => {
  const id = '05a2be27-1b02-40dc-a8fd-cf4021e0baa8'
  assert.is(targetOfLeftover(`a/.b.js.${id}.tmp`), 'a/b.js')
  assert.is(targetOfLeftover(`.b.js.${id}.tmp`), 'b.js')
  for (const other of [`a/b.js.${id}.tmp`, '.b.js.tmp', `.${id}.tmp`, `.b.js.${id}`])
    assert.is(targetOfLeftover(other), undefined)
})

test('a reader never sees half a file', async () => {
  const dir = await folderOf({ 'm.txt': 'a'.repeat(1 << 20) })
  const seen = new Set<string>()
  let writing = true
  const reader = (async () => {
    while (writing) {
      const text = readFrom(dir, 'm.txt')
      seen.add(`${text.length} ${text[0]}`)
      await new Promise(setImmediate)
    }
  })()
  for (const letter of 'bcdefgh')
    await writeFileAtomically(join(dir, 'm.txt'), Buffer.from(letter.repeat(1 << 20)))
  writing = false
  await reader
  assert.ok(seen.size > 1, 'the reader saw no write at all')
  assert.equal(
    [...seen].filter((what) => !what.startsWith(`${1 << 20} `)),
    [],
  )
})

test('a failure leaves no temporary file', async () => {
  const dir = await folderOf({})
  mkdirSync(join(dir, 'm.txt/inside'), { recursive: true })
  await throwsCode(() => writeFileAtomically(join(dir, 'm.txt'), Buffer.from('x')), 'EISDIR')
  assert.equal(readdirSync(dir), ['m.txt'])
})

test.run()
