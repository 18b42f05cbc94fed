import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import { signDirectory, signedImp, verifyDirectory } from 'signedimp'
import {
  attackedVites,
  check,
  codeOf,
  filesIn,
  manifestsIn,
  outcomeOf,
  pageManifestsIn,
  type ViteName,
} from '../bundlers/built.ts'
import { compressFolder, compressor } from '../bundlers/compressor.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildFixture, writeFiles } from '../support/fixture.ts'
import { throwsCode } from '../support/throws.ts'
import { newPublisher } from './signed.ts'

const files = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import("./lazy.js")',
  'src/lazy.js': 'export default "one"',
}

/** An app that was built and compressed, and has changed since; and how it is built into the same folder. */
async function builtBefore(vite: ViteName) {
  const { privateKey } = await newPublisher()
  const plugins = [signedImp(privateKey), compressor('closeBundle')]
  const dir = await buildFixture(files, { vite, plugins })
  const root = dirname(dir)
  await writeFiles(root, { 'src/lazy.js': 'export default "two"' })
  const { build } = (await import(vite)) as typeof import('vite')
  const name = 'assets/[name].js'
  const again = (...more: unknown[]) =>
    build({
      root,
      configFile: false,
      logLevel: 'silent',
      plugins: [...more, signedImp(privateKey)] as never,
      build: {
        emptyOutDir: false,
        minify: false,
        rollupOptions: { output: { entryFileNames: name, chunkFileNames: name } },
      },
    })
  return { dir, privateKey, again }
}

const refusesCopy = (error: Error, path: string) => {
  assert.is(codeOf(error), 'ERR_SIGNEDIMP_OUTPUT')
  assert.match(error.message, path)
  assert.match(error.message, `hold the bytes of ${path.replace(/\.\w+$/, '')}`)
  assert.match(error.message, 'writeBundle or closeBundle')
  return `refused ${codeOf(error)}`
}

attack(
  130,
  'copies that an older build left, which servers send for what the new one built',
  { variants: attackedVites },
  async (vite) => {
    const { dir, again } = await builtBefore(vite as ViteName)
    const error = await outcomeOf(again())
    assert.equal(manifestsIn(dir), [])
    return refusesCopy(error, 'assets/lazy.js.br')
  },
)

attack(
  130,
  'a copy of the old manifest, which open pages would ask for a newer build in vain',
  { variants: attackedVites },
  async (vite) => {
    const { dir, privateKey, again } = await builtBefore(vite as ViteName)
    writeFileSync(
      join(dir, 'signedimp-manifest.txt.gz'),
      gzipSync(readFileSync(join(dir, 'signedimp-manifest.txt'))),
    )
    await again(compressor('writeBundle'))
    assert.not.ok(filesIn(dir).includes('signedimp-manifest.txt.gz'))
    await check(dir, privateKey)
    return 'ok the copy is removed when the manifest is written'
  },
)

attack(
  130,
  'a plugin that compresses before the output is signed',
  { variants: attackedVites },
  async (vite) => {
    const { privateKey } = await newPublisher()
    const plugins = [signedImp(privateKey), compressor('generateBundle')]
    const building = buildFixture(files, {
      vite: vite as ViteName,
      plugins,
      config: { logLevel: 'silent' },
    })
    return refusesCopy(await outcomeOf(building), 'index.html.br')
  },
)

attack(
  130,
  'a copy of something else in the public folder',
  { variants: attackedVites },
  async (vite) => {
    const { privateKey } = await newPublisher()
    const building = buildFixture(
      { ...files, 'public/assets/lazy.js.gz': 'evil()' },
      { vite: vite as ViteName, plugins: [signedImp(privateKey)], config: { logLevel: 'silent' } },
    )
    return refusesCopy(await outcomeOf(building), 'assets/lazy.js.gz')
  },
)

attack(130, 'a copy of something else in a folder that is signed', {}, async () => {
  const { privateKey, signer } = await newPublisher()
  const dir = await buildFixture(files, { plugins: [signedImp(privateKey)] })
  writeFileSync(join(dir, 'assets/lazy.js.br'), brotliCompressSync('evil()'))
  const before = manifestsIn(dir).map((path) => readFileSync(join(dir, path), 'utf8'))
  const error = await throwsCode(() => signDirectory(dir, signer), 'ERR_SIGNEDIMP_OUTPUT')
  assert.equal(
    manifestsIn(dir).map((path) => readFileSync(join(dir, path), 'utf8')),
    before,
  )
  return refusesCopy(error, 'assets/lazy.js.br')
})

attack(130, 'a copy of something else in the place of a page manifest', {}, async () => {
  const { privateKey, key } = await newPublisher()
  const dir = await buildFixture(files, { plugins: [signedImp(privateKey)] })
  const [page] = pageManifestsIn(dir)
  const copy = join(dir, `${page}.gz`)
  writeFileSync(copy, gzipSync(readFileSync(join(dir, page!))))
  await verifyDirectory(dir, [key])
  writeFileSync(copy, gzipSync(Buffer.concat([gunzipSync(readFileSync(copy)), Buffer.from('\n')])))
  const error = await throwsCode(() => verifyDirectory(dir, [key]), 'ERR_SIGNEDIMP_FILES')
  assert.match(error.message, `${page}.gz changed`)
  return `refused ${error.code}`
})

attack(130, 'copies that are made after the build', {}, async () => {
  const { privateKey, key, signer } = await newPublisher()
  const dir = await buildFixture(files, { plugins: [signedImp(privateKey)] })
  compressFolder(dir)
  const error = await throwsCode(() => verifyDirectory(dir, [key]), 'ERR_SIGNEDIMP_FILES')
  assert.match(error.message, 'assets/lazy.js.br unlisted')
  await signDirectory(dir, signer)
  compressFolder(dir)
  await verifyDirectory(dir, [key])
  rmSync(join(dir, 'assets/lazy.js'))
  await throwsCode(() => verifyDirectory(dir, [key]), 'ERR_SIGNEDIMP_FILES')
  return `refused ${error.code}`
})

attacks.run()
