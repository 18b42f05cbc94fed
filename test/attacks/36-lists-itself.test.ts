import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { signDirectory, signedImp, verifyDirectory } from 'signedimp'
import { check, filesIn, manifestsIn } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildFixture } from '../support/fixture.ts'
import { throwsCode } from '../support/throws.ts'
import { file, newPublisher, signed, textOf } from './signed.ts'

const files = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import("./lazy.js")',
  'src/lazy.js': 'export default 1',
}

attack(
  36,
  'no manifest lists itself or another',
  { variants: ['a build', 'a build that is signed again'] },
  async (variant) => {
    const { privateKey, signer } = await newPublisher()
    const dir = await buildFixture(files, { plugins: [signedImp(privateKey)] })
    if (variant !== 'a build') await signDirectory(dir, signer)
    const { main, pages } = await check(dir, privateKey)
    assert.is(manifestsIn(dir).length, 2)
    for (const { files: listed } of [main, ...pages.values()])
      for (const path of manifestsIn(dir)) assert.not.ok(listed.has(path))
    return 'ok manifests vouch for themselves by their signatures'
  },
)

attack(36, 'entries are listed as they are after all changes', {}, async () => {
  const { privateKey } = await newPublisher()
  const dir = await buildFixture(files, { plugins: [signedImp(privateKey)] })
  const { main, pages } = await check(dir, privateKey)
  for (const path of filesIn(dir).filter((name) => name.endsWith('.js'))) {
    const digest = createHash('sha256')
      .update(readFileSync(join(dir, path)))
      .digest('hex')
    for (const manifest of [main, ...pages.values()]) assert.is(manifest.files.get(path), digest)
  }
  return 'ok both manifests have the hash of the emitted bytes'
})

attack(36, 'a manifest that lists itself', { quick: true }, async () => {
  const publisher = await newPublisher()
  const dir = await buildFixture({ 'index.html': '<p>' }, {})
  const html = createHash('sha256')
    .update(readFileSync(join(dir, 'index.html')))
    .digest('hex')
  const text = textOf({ files: [file('index.html', html), file('signedimp-manifest.txt')] })
  writeFileSync(join(dir, 'signedimp-manifest.txt'), await signed(text, publisher))
  const { code } = await throwsCode(
    () => verifyDirectory(dir, [publisher.key]),
    'ERR_SIGNEDIMP_FILES',
  )
  return `refused ${code}`
})

attacks.run()
