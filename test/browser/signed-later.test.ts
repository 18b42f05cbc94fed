import { createPublicKey } from 'node:crypto'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { buildSigned, serveApp, type TestSite } from '../support/app.ts'
import { inEngines } from '../support/browsers.ts'
import { scratchFolder } from '../support/processes.ts'
import { open, refuses, refusesChunk, starts } from '../support/visit.ts'

// What a build with the public key leaves: nothing that a page starts by, until the private key has signed it.

const sites: Record<string, { unsigned: TestSite; signed: TestSite }> = {}

test.before(async () => {
  const key = await generateKey('ecdsa-p256')
  for (const inline of [true, false]) {
    const dir = await buildSigned(createPublicKey(key), { signed: { inline } })
    const signed = join(scratchFolder(), 'signed')
    cpSync(dir, signed, { recursive: true })
    await signDirectory(signed, await loadSigner(key))
    sites[String(inline)] = { unsigned: await serveApp(dir), signed: await serveApp(signed) }
  }
})

test.after(async () => {
  for (const site of Object.values(sites).flatMap(Object.values<TestSite>)) await site.close()
})

for (const inline of ['true', 'false'])
  inEngines(
    test,
    `inline: ${inline}: a page refuses to start until it is signed, and then runs and refuses`,
    async (page) => {
      const { unsigned, signed } = sites[inline]!
      await refuses(page, unsigned, 'ERR_SIGNEDIMP_SIGNATURE')
      signed.reset()
      await starts(page, signed)
      assert.is(await open(page, 'a'), 'a café')
      signed.reset()
      signed.tamper('assets/b.js', 'changed')
      await starts(page, signed)
      await refusesChunk(page, 'b', 'ERR_SIGNEDIMP_CHANGED')
    },
  )

test.run()
