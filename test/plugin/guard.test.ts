import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { toTrustedKey } from '../../src/keys/public.ts'
import { formatPrivateKey, formatPublicKey, type KeyForm } from '../../src/keys/write.ts'
import { findSecrets, refuseSecrets } from '../../src/plugin/guard.ts'
import { inFolder } from '../keys/folder.ts'
import { madeKey } from '../keys/made.ts'
import { privateRecipes, secret } from '../keys/recipes.ts'
import { throwsCode } from '../support/throws.ts'

const key = await madeKey('rsa-pss')

/** Asserts that each way to publish a key's file is found, and that what it has in common with others is not. */
async function check(folder: string, content: Buffer, others: Buffer[]): Promise<void> {
  const secrets = await findSecrets('k', folder)
  assert.ok(secrets.length > 1)
  const refuse = (source: string | Uint8Array) =>
    throwsCode(() => refuseSecrets('a.js', source, secrets), 'ERR_SIGNEDIMP_KEY_EXPOSED')
  await refuse(Buffer.concat([Buffer.from('before'), content, Buffer.from('after')]))
  for (const shift of [0, 1, 2]) {
    const moved = Buffer.concat([Buffer.alloc(shift), content])
    await refuse(`export default "data:;base64,${moved.toString('base64')}"`)
  }
  for (const other of others) refuseSecrets('a.js', other, secrets)
}

for (const [form, password] of [
  ['pem', null],
  ['pem', secret],
  ['der', null],
  ['der', secret],
  ['pkcs1', null],
  ['jwk', null],
  ['python', null],
] as [KeyForm, string | null][])
  test(`a key that is published is found, as ${form}${password ? ' with a password' : ''}`, () =>
    inFolder(async (folder) => {
      const content = Buffer.from(await formatPrivateKey(key, form, { password }))
      writeFileSync(join(folder, 'k'), content)
      const halves = (['pem', 'der', 'jwk', 'python'] as const).map((half) =>
        Buffer.from(formatPublicKey(toTrustedKey(key), half)),
      )
      await check(folder, content, halves)
    }))

const [store] = privateRecipes['PKCS#12 | node-forge']!
test('a key that is published is found, as PKCS#12', () =>
  inFolder(async (folder) => {
    await store!.make(folder)
    await check(folder, readFileSync(join(folder, 'k')), [Buffer.from('30820a3a020103', 'hex')])
  }))

test('a public key may be published, in every form', () =>
  inFolder(async (folder) => {
    for (const form of ['pem', 'der', 'jwk', 'python'] as const) {
      writeFileSync(join(folder, 'k'), formatPublicKey(toTrustedKey(key), form))
      assert.equal(await findSecrets('k', folder), [])
    }
  }))

test.run()
