import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { rewriterVersion } from '../../src/emit/rewrite.ts'
import { filesIn, attackedVites, type ViteName } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { root } from '../support/files.ts'
import { buildByEsbuild, type EsbuildOptions } from '../support/esbuild.ts'
import { buildFixture } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { newPublisher } from './signed.ts'

const files = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import { shared } from "./shared.js"\nimport("./lazy.js")\nshared()',
  'src/lazy.js': 'import { shared } from "./shared.js"\nexport default shared',
  'src/shared.js': 'export const shared = () => 1',
}
const hashed = '[name]-[hash].js'
const config = {
  build: {
    minify: true,
    rollupOptions: { output: { entryFileNames: hashed, chunkFileNames: hashed } },
  },
}

/** The plugin as a later release would be, which writes other bytes. */
async function laterRelease<T = typeof signedImp>(entry = 'index.js'): Promise<T> {
  const folder = scratchFolder()
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  for (const path of filesIn(join(folder, 'dist')).filter((name) => name.endsWith('.js'))) {
    const file = join(folder, 'dist', path)
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replaceAll(rewriterVersion, 'signedimp-rewriter-later'),
    )
  }
  return (await import(pathToFileURL(join(folder, 'dist', entry)).href)).signedImp
}

attack(
  118,
  'new bytes under names that caches keep for ever',
  { variants: attackedVites },
  async (variant) => {
    const [one, two] = [await newPublisher(), await newPublisher('ecdsa-p256')]
    const build = async (plugins: unknown[]) =>
      filesIn(await buildFixture(files, { vite: variant as ViteName, plugins, config })).filter(
        (path) => /^[a-z]+-[\w-]+\.js$/.test(path) && !path.startsWith('signedimp'),
      )
    const plain = await build([])
    const signedNames = await build([signedImp(one.privateKey)])
    const later = await build([(await laterRelease())(one.privateKey)])
    assert.ok(plain.length >= 2 && plain.length === later.length)
    assert.equal(
      await build([signedImp(two.privateKey)]),
      signedNames,
      'another key writes the same bytes',
    )
    for (const [a, b] of [
      [plain, signedNames],
      [signedNames, later],
      [plain, later],
    ] as const)
      assert.equal(
        a.filter((name) => b.includes(name)),
        [],
      )
    return 'ok every script name changes with what writes it'
  },
)

attack(
  118,
  'new bytes under names of esbuild that caches keep for ever',
  { variants: ['with pages', 'without'] },
  async (variant) => {
    const [one, two] = [await newPublisher(), await newPublisher('ecdsa-p256')]
    const isPaged = variant === 'with pages'
    const build = async (options: EsbuildOptions, signed = isPaged ? {} : { html: [] }) => {
      const { dir } = await buildByEsbuild(files, {
        ...options,
        signed,
        config: { minify: true, entryNames: '[name]-[hash]', chunkNames: '[name]-[hash]' },
      })
      return filesIn(dir).filter((path) => /^[a-z]+-[A-Z2-7]{8}\.js$/.test(path))
    }
    const signed = await build({ key: one.privateKey })
    const later = await build({
      key: one.privateKey,
      signedImp: await laterRelease<EsbuildOptions['signedImp'] & {}>('esbuild.js'),
    })
    const plain = await build({})
    // Static imports are spelled otherwise where there are pages.
    const others = await build({ key: one.privateKey }, isPaged ? { html: [] } : {})
    const otherKey = await build({ key: two.privateKey })
    const isEntry = (path: string) => path.startsWith('index-')
    assert.ok(plain.length >= 3)
    assert.is(signed.filter(isEntry).length, 1)
    // Without pages the entry's file says which keys it trusts; all others say nothing of a key.
    const same = signed.filter((path) => otherKey.includes(path))
    assert.equal(same, isPaged ? signed : signed.filter((path) => !isEntry(path)))
    for (const [a, b] of [
      [plain, signed],
      [signed, later],
      [plain, later],
      [signed, others],
    ] as const)
      assert.equal(
        a.filter((name) => b.includes(name)),
        [],
      )
    return 'ok every script name changes with what writes it'
  },
)

attacks.run()
