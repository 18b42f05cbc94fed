import { brotliCompressSync } from 'node:zlib'
import { build } from 'esbuild'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SignedImportManager } from 'signedimp/runtime'
import { root } from '../support/files.ts'
import { readDocument, rowsOf, sectionOf } from '../support/markdown.ts'

// What docs/manager.md says of signedimp/runtime. Its first example runs in test/browser/manager.test.ts, and
// test/package/types.test.ts checks the types of both.

const reference = sectionOf(readDocument('docs/manager.md'), 'Reference')
const named = rowsOf(reference).flatMap(([name]) => /^`(\w+)/.exec(name!)?.[1] ?? [])

test('every method and every option is told', () => {
  const methods = Object.getOwnPropertyNames(SignedImportManager.prototype).slice(1)
  const options = (() => {
    try {
      new SignedImportManager({ none: 1 } as object)
      return []
    } catch (error) {
      return /there are (.*)$/.exec((error as Error).message)![1]!.split(', ')
    }
  })()
  assert.equal(named.sort(), [...options, ...methods].sort())
})

test('it is as large as the document says', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { SignedImportManager } from './dist/runtime.js'`,
      resolveDir: root,
    },
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  })
  const size = brotliCompressSync(outputFiles[0]!.contents).length
  const [, claim] = /has ([\d,]+) bytes at most/.exec(readDocument('docs/manager.md'))!
  const most = Number(claim!.replace(',', ''))
  assert.ok(size <= most && size > most * 0.9, `${size} bytes`)
})

test.run()
