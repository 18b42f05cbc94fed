import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import {
  check,
  codeOf,
  filesIn,
  manifestsIn,
  outcomeOf,
  pageManifestsIn,
  attackedVites,
  type ViteName,
} from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildFixture, writeFiles } from '../support/fixture.ts'
import { newPublisher, type Publisher } from './signed.ts'

const files = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import("./lazy.js")',
  'src/lazy.js': 'export default "one"',
}

/** Builds once more into the same folder, without emptying it. */
async function again(vite: ViteName, dir: string, { privateKey }: Publisher): Promise<void> {
  const { build } = (await import(vite)) as typeof import('vite')
  await build({
    root: dirname(dir),
    configFile: false,
    logLevel: 'silent',
    plugins: [signedImp(privateKey) as never],
    build: { outDir: dir, emptyOutDir: false, minify: true },
  })
}

// Watching is in test/bundlers/folder.test.ts.
attack(
  86,
  'a second build in the folder of the first',
  { variants: attackedVites },
  async (variant) => {
    const publisher = await newPublisher()
    const vite = variant as ViteName
    const dir = await buildFixture(files, { vite, plugins: [signedImp(publisher.privateKey)] })
    const [first] = pageManifestsIn(dir)
    await writeFiles(dirname(dir), { 'src/lazy.js': 'export default "two"' })
    await again(vite, dir, publisher)
    const { main, pages } = await check(dir, publisher.privateKey)
    assert.ok(
      main.files.has('assets/lazy.js'),
      'what the first build left is vouched for by its own manifest',
    )
    const newest = [...pages].filter(([path]) => path !== first)
    assert.is(newest.length, 1)
    assert.not.ok(newest[0]![1].files.has('assets/lazy.js'), 'pages of the second cannot load it')
    return 'ok every hash is that of the disk, and new pages know new files only'
  },
)

attack(
  127,
  'files that were planted before a build',
  {
    variants: attackedVites.flatMap((vite) => [
      `${vite}, new`,
      `${vite}, changed`,
      `${vite}, signed by a stranger`,
    ]),
  },
  async (variant) => {
    const [vite, what] = variant.split(', ') as [ViteName, string]
    const publisher = await newPublisher()
    const builder = what === 'signed by a stranger' ? await newPublisher() : publisher
    const dir = await buildFixture(files, { vite, plugins: [signedImp(builder.privateKey)] })
    if (what === 'new') writeFileSync(join(dir, 'assets/evil.css'), 'evil{}')
    if (what === 'changed') writeFileSync(join(dir, 'assets/lazy.js'), 'evil()')
    const error = await outcomeOf(again(vite, dir, publisher))
    assert.is(codeOf(error), 'ERR_SIGNEDIMP_FILES')
    assert.not.ok(await isSigned(dir, publisher))
    return `refused ${codeOf(error)}`
  },
)

/** Whether somebody with the public key would still take the folder for signed. */
const isSigned = (dir: string, { privateKey }: Publisher): Promise<boolean> =>
  check(dir, privateKey).then(
    () => true,
    () => false,
  )

attack(
  87,
  'copies for other languages, made after the build',
  { variants: attackedVites },
  async (variant) => {
    const { privateKey } = await newPublisher()
    let dir = ''
    const copy = {
      name: 'locales',
      configResolved: (config: { build: { outDir: string } }) => void (dir = config.build.outDir),
      closeBundle() {
        mkdirSync(join(dir, 'de'))
        for (const path of ['index.html', 'lazy.js'])
          writeFileSync(join(dir, 'de', path), 'Guten Tag')
      },
    }
    const building = (unverified: string[]) =>
      buildFixture(files, {
        vite: variant as ViteName,
        plugins: [signedImp(privateKey, { unverified }), copy],
        config: { logLevel: 'silent' },
      })
    const error = await outcomeOf(building([]))
    assert.is(codeOf(error), 'ERR_SIGNEDIMP_NOT_COVERED')
    assert.match(error.message, 'de/lazy.js')
    const named = await building(['de/index.html', 'de/lazy.js'])
    const { main } = await check(named, privateKey)
    assert.ok(filesIn(named).includes('de/lazy.js') && main.files.has('de/lazy.js'))
    return `refused ${codeOf(error)}`
  },
)

attack(
  88,
  'one file name with other bytes, from two outputs of one build',
  { variants: attackedVites },
  async (variant) => {
    const { privateKey } = await newPublisher()
    const dir = await buildFixture(files, { vite: variant as ViteName })
    const { build } = (await import(variant)) as typeof import('vite')
    const names = { entryFileNames: 'assets/[name].js', chunkFileNames: 'assets/[name].js' }
    const building = build({
      root: dirname(dir),
      configFile: false,
      logLevel: 'silent',
      plugins: [signedImp(privateKey) as never],
      build: {
        outDir: dir,
        emptyOutDir: true,
        rollupOptions: {
          output: [
            { ...names, intro: 'globalThis.one = 1;' },
            { ...names, intro: 'globalThis.two = 2;' },
          ],
        },
      },
    })
    const code = codeOf(await outcomeOf(building))
    assert.match(code!, /^ERR_SIGNEDIMP_/)
    assert.equal(
      manifestsIn(dir).filter((path) => path === 'signedimp-manifest.txt'),
      [],
    )
    return `refused ${code}`
  },
)

attacks.run()
