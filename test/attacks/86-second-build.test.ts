import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
import { atEnd, buildByEsbuild, esbuildOptionsOf } from '../support/esbuild.ts'
import { buildFixture, writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
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

attack(86, 'a second build of esbuild in the folder of the first', {}, async () => {
  const publisher = await newPublisher()
  const root = scratchFolder()
  const { dir } = await buildByEsbuild(files, { root, key: publisher.privateKey })
  const [first] = pageManifestsIn(dir)
  await buildByEsbuild(
    { ...files, 'src/main.js': 'import("./later.js")', 'src/later.js': 'export default "two"' },
    { root, key: publisher.privateKey },
  )
  const { main, pages } = await check(dir, publisher.privateKey)
  assert.ok(main.files.has('assets/lazy.js') && main.files.has('assets/later.js'))
  const newest = [...pages].filter(([path]) => path !== first)
  assert.is(newest.length, 1)
  assert.not.ok(newest[0]![1].files.has('assets/lazy.js'), 'pages of the second cannot load it')
  return 'ok every hash is that of the disk, and new pages know new files only'
})

attack(86, 'a session of esbuild in which chunks change and vanish', {}, async () => {
  const { privateKey } = await newPublisher()
  const root = scratchFolder()
  const dir = join(root, 'dist')
  const { context } = await import('esbuild')
  await writeFiles(root, { 'package.json': '{"name":"fixture"}', ...files })
  const session = await context(await esbuildOptionsOf(root, files, { key: privateKey }))
  const states: Record<string, string>[] = [
    {},
    { 'src/lazy.js': 'export default "changed"' },
    { 'src/main.js': 'import("./other.js")', 'src/other.js': 'export default "appeared"' },
    { 'src/main.js': 'globalThis.alone = 1' },
  ]
  const known: string[][] = []
  for (const state of states) {
    await writeFiles(root, state)
    await session.rebuild()
    const { pages } = await check(dir, privateKey)
    const html = readFileSync(join(dir, 'index.html'), 'utf8')
    const [, page] = [...pages].find(([name]) => html.includes(name))!
    known.push([...page.files.keys()].filter((path) => path.startsWith('assets/')))
  }
  await session.dispose()
  assert.equal(known, [
    ['assets/index.js', 'assets/lazy.js'],
    ['assets/index.js', 'assets/lazy.js'],
    ['assets/index.js', 'assets/other.js'],
    ['assets/index.js'],
  ])
  return 'ok each page knows the files of its own build'
})

attack(86, 'a build of esbuild that fails after one that did not', {}, async () => {
  const { privateKey } = await newPublisher()
  const root = scratchFolder()
  const failing = atEnd(() => {
    throw new Error('planned failure')
  })
  const { dir } = await buildByEsbuild(files, { root, key: privateKey })
  const building = buildByEsbuild(
    { ...files, 'src/lazy.js': 'export default "two"' },
    { root, key: privateKey, behind: [failing] },
  )
  assert.match((await outcomeOf(building)).message, 'planned failure')
  assert.not.ok(manifestsIn(dir).includes('signedimp-manifest.txt'))
  return 'ok nothing is signed'
})

attack(
  127,
  'files that were planted before a build of esbuild',
  { variants: ['new', 'changed', 'signed by a stranger', 'code beside it', 'a page'] },
  async (what) => {
    const publisher = await newPublisher()
    const builder = what === 'signed by a stranger' ? await newPublisher() : publisher
    const root = scratchFolder()
    const { dir } = await buildByEsbuild(files, { root, key: builder.privateKey })
    if (what === 'new') writeFileSync(join(dir, 'assets/evil.css'), 'evil{}')
    if (what === 'changed') writeFileSync(join(dir, 'assets/lazy.js'), 'evil()')
    if (what === 'code beside it') writeFileSync(join(dir, 'assets/evil.js'), 'evil()')
    if (what === 'a page') writeFileSync(join(dir, 'evil.html'), '<script>evil()</script>')
    const other = { ...files, 'src/main.js': 'globalThis.alone = 1' }
    const error = await outcomeOf(buildByEsbuild(other, { root, key: publisher.privateKey }))
    assert.is(codeOf(error), 'ERR_SIGNEDIMP_FILES')
    assert.not.ok(await isSigned(dir, publisher))
    return `refused ${codeOf(error)}`
  },
)

attack(
  87,
  'copies for other languages, by a plugin of esbuild',
  { variants: ['before ours', 'behind it'] },
  async (variant) => {
    const { privateKey } = await newPublisher()
    const root = scratchFolder()
    const copy = atEnd(() =>
      writeFiles(join(root, 'dist/de'), { 'index.html': '<p>Guten Tag', 'lazy.js': 'guten()' }),
    )
    const where = variant === 'before ours' ? { before: [copy] } : { behind: [copy] }
    const building = (unverified: string[]) =>
      buildByEsbuild(files, { root, key: privateKey, signed: { unverified }, ...where })
    const error = await outcomeOf(building([]))
    assert.is(codeOf(error), 'ERR_SIGNEDIMP_NOT_COVERED')
    assert.match(error.message, 'de/lazy.js')
    rmSync(join(root, 'dist'), { recursive: true })
    const { dir } = await building(['de/index.html', 'de/lazy.js'])
    const { main } = await check(dir, privateKey)
    assert.ok(main.files.has('de/lazy.js') && main.files.has('de/index.html'))
    return `refused ${codeOf(error)}`
  },
)

attack(88, 'one file name with other bytes, from two builds of esbuild', {}, async () => {
  const { privateKey } = await newPublisher()
  const root = scratchFolder()
  const other = {
    'other.html': '<script type="module" src="/src/other.js"></script>',
    'src/other.js': 'import("./lazy.js")',
    'src/lazy.js': 'export default "other"',
  }
  const { dir } = await buildByEsbuild(files, { root, key: privateKey })
  const [first] = pageManifestsIn(dir)
  await buildByEsbuild(other, { root, key: privateKey })
  const { pages } = await check(dir, privateKey)
  assert.not.ok(pages.has(first!), 'what lists the first file is gone')
  assert.is(pages.size, 1)
  return 'ok only the bytes that are there are listed'
})

attacks.run()
