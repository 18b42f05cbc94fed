import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashBytes, hashFile, nodeCrypto } from '../../src/crypto/node.ts'
import { madeSigner } from '../keys/made.ts'
import { throwsCode } from '../support/throws.ts'

test('a file is hashed as its bytes are, however long it is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'signedimp-hash-'))
  try {
    for (const length of [0, 1, 65_536, 300_001]) {
      const bytes = Buffer.alloc(length, 'signedimp')
      await writeFile(join(folder, 'file'), bytes)
      for (const type of ['sha256', 'sha512'] as const)
        assert.is(await hashFile(join(folder, 'file'), type), hashBytes(type, bytes))
    }
    await throwsCode(() => hashFile(join(folder, 'none'), 'sha256'), 'ENOENT')
    await throwsCode(() => hashFile(folder, 'sha256'), 'EISDIR')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('tools sign and verify with Ed25519 without a word: Node 20 warns when WebCrypto does it', async () => {
  const warnings: string[] = []
  const listen = (warning: Error) => void warnings.push(warning.message)
  process.on('warning', listen)
  const { key, sign } = await madeSigner('ed25519')
  const message = new Uint8Array(3)
  assert.is(await nodeCrypto.verify(key, await sign(message), message), true)
  await setImmediate()
  process.off('warning', listen)
  assert.equal(warnings, [])
})

test.run()
