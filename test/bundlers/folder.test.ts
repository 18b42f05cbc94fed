import { appendFileSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp, type SignedImpOptions } from 'signedimp'
import type { Rollup } from 'vite'
import { loadSigner } from '../../src/keys/private.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { buildFixture, writeFiles } from '../support/fixture.ts'
import {
  check,
  codeOf,
  filesIn,
  manifestsIn,
  outcomeOf,
  pageManifestsIn,
  textIn,
  vites,
  type ViteName,
} from './built.ts'

const key = await generateKey('ed25519')

const files = {
  'index.html': '<!doctype html><script type="module" src="/src/main.js"></script>',
  'src/main.js': 'globalThis.load = () => import("./lazy.js")\nconsole.log(1)',
  'src/lazy.js': 'export default "one"',
}

/** A folder with sources, without an output. */
async function sources(vite: ViteName): Promise<string> {
  const dir = await buildFixture(files, { vite })
  rmSync(dir, { recursive: true })
  return dirname(dir)
}

interface Options extends SignedImpOptions {
  plugins?: unknown[]
  behind?: unknown[]
  key?: typeof key
  emptyOutDir?: boolean
  hash?: 'sha256' | 'sha384'
  /** The pages, where there are more than index.html. */
  input?: string[]
}

/** Builds into the folder's dist, under names with hashes, and keeps what is there. */
async function build(
  vite: ViteName,
  folder: string,
  {
    plugins = [],
    behind = [],
    key: own = key,
    emptyOutDir = false,
    input,
    ...options
  }: Options = {},
): Promise<string> {
  const { build: viteBuild } = (await import(vite)) as typeof import('vite')
  const outDir = join(folder, 'dist')
  await viteBuild({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    plugins: [...plugins, signedImp(own, options), ...behind] as never,
    build: { outDir, emptyOutDir, minify: true, ...(input && { rollupOptions: { input } }) },
  })
  return outDir
}

const scriptsIn = (dir: string) => filesIn(dir).filter((path) => /^assets\/.*\.js$/.test(path))
const lazyIn = (dir: string) => scriptsIn(dir).find((path) => path.includes('lazy'))!

for (const vite of vites) {
  // Two builds into one folder.

  test(`${vite}: what an earlier build left is listed again, with its imports`, async () => {
    const folder = await sources(vite)
    const dir = await build(vite, folder, { build: 1 })
    const [first] = pageManifestsIn(dir)
    const old = scriptsIn(dir)
    await writeFiles(folder, { 'src/lazy.js': 'export default "two"' })
    await build(vite, folder, { build: 2 })
    const { main, pages } = await check(dir, key)
    assert.is(main.build, 2)
    assert.ok(scriptsIn(dir).length > old.length)
    for (const path of old) assert.ok(main.files.has(path), path)
    assert.ok(pages.has(first!), 'older pages keep their manifest')
    const newest = [...pages.values()].find(({ build: number }) => number === 2)!
    assert.equal(
      old.filter((path) => newest.files.has(path)),
      [],
      'new pages cannot load old chunks',
    )
  })

  test(`${vite}: what an earlier build left is listed again, though that build has expired`, async () => {
    const folder = await sources(vite)
    const expires = new Date(Date.now() + 4000)
    const dir = await build(vite, folder, { expires })
    const old = scriptsIn(dir)
    await writeFiles(folder, { 'src/lazy.js': 'export default "two"' })
    while (Date.now() < Number(expires)) await sleep(50)
    await build(vite, folder)
    const { main } = await check(dir, key)
    for (const path of old) assert.ok(main.files.has(path), path)
  })

  test(`${vite}: the imports of chunks that an earlier build left are listed again`, async () => {
    const folder = dirname(
      await buildFixture(
        {
          ...files,
          'about.html': '<!doctype html><script type="module" src="/src/about.js"></script>',
          'src/main.js': 'import { shared } from "./shared.js"\nconsole.log(shared)',
          'src/about.js': 'import { shared } from "./shared.js"\nconsole.error(shared)',
          'src/shared.js': 'export const shared = "one"',
        },
        { vite },
      ),
    )
    rmSync(join(folder, 'dist'), { recursive: true })
    const input = ['index.html', 'about.html'].map((page) => join(folder, page))
    const dir = await build(vite, folder, { input })
    const old = (await check(dir, key)).main.imports
    assert.ok(old.size >= 2)
    await writeFiles(folder, { 'src/shared.js': 'export const shared = "two"' })
    await build(vite, folder, { input })
    const { imports } = (await check(dir, key)).main
    assert.is(imports.size, 2 * old.size)
    for (const [path, list] of old) assert.equal(imports.get(path), list)
  })

  for (const [what, plant] of Object.entries({
    'a script': (dir: string) => writeFileSync(join(dir, 'assets/evil.js'), 'evil()'),
    'a stylesheet': (dir: string) => writeFileSync(join(dir, 'evil.css'), 'evil{}'),
    'a page': (dir: string) => writeFileSync(join(dir, 'evil.html'), '<p>evil'),
    'a dotfile': (dir: string) => writeFileSync(join(dir, '.htaccess'), 'evil'),
    'a chunk that was changed': (dir: string) => appendFileSync(join(dir, lazyIn(dir)), ';evil()'),
  }))
    test(`${vite}: refused: ${what} in the output folder that no manifest of ours lists`, async () => {
      const folder = await sources(vite)
      const dir = await build(vite, folder)
      plant(dir)
      await writeFiles(folder, { 'src/lazy.js': 'export default "two"' })
      const error = await outcomeOf(build(vite, folder))
      assert.is(codeOf(error), 'ERR_SIGNEDIMP_FILES')
      assert.match(error.message, /evil|lazy|htaccess/)
      assert.not.ok(manifestsIn(dir).includes('signedimp-manifest.txt'))
    })

  test(`${vite}: refused: files that were there before the first build`, async () => {
    const folder = await sources(vite)
    await writeFiles(folder, { 'dist/assets/evil.js': 'evil()' })
    assert.is(codeOf(await outcomeOf(build(vite, folder))), 'ERR_SIGNEDIMP_FILES')
    assert.equal(manifestsIn(join(folder, 'dist')), [])
  })

  for (const [what, change] of Object.entries({
    'another key': { key: await generateKey('ed25519') },
    'another name': { name: 'other' },
  }))
    test(`${vite}: refused: files that a manifest of ${what} lists`, async () => {
      const folder = await sources(vite)
      await build(vite, folder, change)
      await writeFiles(folder, { 'src/lazy.js': 'export default "two"' })
      assert.is(codeOf(await outcomeOf(build(vite, folder))), 'ERR_SIGNEDIMP_FILES')
    })

  test(`${vite}: refused: a manifest that was edited vouches for nothing`, async () => {
    const folder = await sources(vite)
    const dir = await build(vite, folder)
    await writeFiles(dir, { 'evil.txt': 'evil' })
    const other = await loadSigner(await generateKey('ed25519'))
    await signDirectory(dir, other, { name: 'fixture' })
    const error = await outcomeOf(build(vite, folder))
    assert.is(codeOf(error), 'ERR_SIGNEDIMP_FILES')
    assert.match(error.message, 'evil.txt')
  })

  test(`${vite}: a folder that is emptied needs nobody's word`, async () => {
    const folder = await sources(vite)
    await writeFiles(folder, {
      'dist/assets/evil.js': 'evil()',
      'dist/signedimp-manifest.txt': 'rubbish',
    })
    const { main } = await check(await build(vite, folder, { emptyOutDir: true }), key)
    assert.not.ok(main.files.has('assets/evil.js'))
  })

  test(`${vite}: another hash type than the earlier build's: its files are listed anew or refused`, async () => {
    const folder = await sources(vite)
    const dir = await build(vite, folder)
    await writeFiles(folder, { 'src/lazy.js': 'export default "two"' })
    try {
      await build(vite, folder, { hash: 'sha384' })
    } catch (error) {
      assert.is(codeOf(error as Error), 'ERR_SIGNEDIMP_FILES')
      return
    }
    await check(dir, key)
  })

  test(`${vite}: code that another plugin wrote is not accepted because an earlier build had some of its name`, async () => {
    const folder = await sources(vite)
    let text = 'one'
    const other = {
      name: 'other',
      closeBundle: () => writeFileSync(join(folder, 'dist/sw.js'), text),
    }
    const dir = await build(vite, folder, { plugins: [other], unverified: ['sw.js'] })
    text = 'two'
    const error = await outcomeOf(build(vite, folder, { plugins: [other] }))
    assert.is(codeOf(error), 'ERR_SIGNEDIMP_NOT_COVERED')
    assert.match(error.message, 'sw.js')
    assert.equal(manifestsIn(dir).includes('signedimp-manifest.txt'), false)
  })

  test(`${vite}: imports of an earlier file are not those of a new one under its name`, async () => {
    const names = { output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' } }
    const shared = {
      'src/shared.js': 'export const shared = () => console.log(Math.random())',
      'src/lazy.js': 'export { shared as default } from "./shared.js"',
    }
    const about = {
      'about.html': '<!doctype html><script type="module" src="/src/about.js"></script>',
      'src/about.js': 'import { shared } from "./shared.js"\nshared()',
    }
    const folder = dirname(
      await buildFixture(
        {
          ...files,
          ...shared,
          ...about,
          'src/main.js': 'import { shared } from "./shared.js"\nshared()',
        },
        { vite },
      ),
    )
    const { build: viteBuild } = (await import(vite)) as typeof import('vite')
    const again = () =>
      viteBuild({
        root: folder,
        configFile: false,
        logLevel: 'silent',
        plugins: [signedImp(key) as never],
        build: {
          emptyOutDir: false,
          // It would be a chunk that both pages import.
          modulePreload: { polyfill: false },
          rollupOptions: {
            input: [join(folder, 'index.html'), join(folder, 'about.html')],
            ...names,
          },
        },
      })
    rmSync(join(folder, 'dist'), { recursive: true })
    await again()
    const dir = join(folder, 'dist')
    assert.ok((await check(dir, key)).main.imports.has('index.js'))
    await writeFiles(folder, { 'src/main.js': 'console.log(1)' })
    await again()
    const { main } = await check(dir, key)
    assert.not.ok(main.imports.has('index.js'))
  })

  // Watching.

  test(`${vite}: watching signs every rebuild`, async () => {
    const folder = await sources(vite)
    const { build: viteBuild } = (await import(vite)) as typeof import('vite')
    const outDir = join(folder, 'dist')
    const watcher = (await viteBuild({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      plugins: [signedImp(key) as never],
      build: { outDir, minify: true, watch: {} },
    })) as Rollup.RollupWatcher
    try {
      await builtBy(watcher)
      const seen = new Set<string>()
      for (const text of ['one', 'two', 'three']) {
        const { pages, lazy } = await saveUntilSigned(folder, text)
        assert.ok([...pages.values()].some((page) => page.files.has(lazy)))
        seen.add(lazy)
      }
      assert.is(seen.size, 3)
    } finally {
      await watcher.close()
    }
  })

  for (const emptyOutDir of [true, false])
    test(`${vite}: watching signs the last of quick saves, each made while builds are being closed (emptyOutDir: ${emptyOutDir})`, async () => {
      const folder = await sources(vite)
      const { build: viteBuild } = (await import(vite)) as typeof import('vite')
      const outDir = join(folder, 'dist')
      let builds = 0
      let closed = 0
      const slow = {
        name: 'slow',
        buildStart: () => void builds++,
        writeBundle: () => sleep(250),
        closeBundle: async () => {
          await sleep(600)
          closed++
        },
      }
      const watcher = (await viteBuild({
        root: folder,
        configFile: false,
        logLevel: 'silent',
        plugins: [slow as never, signedImp(key) as never],
        build: { outDir, emptyOutDir, minify: true, watch: {} },
      })) as Rollup.RollupWatcher
      try {
        await builtBy(watcher)
        for (let save = 0; save < 4; save++) {
          await sleep(350)
          await writeFiles(folder, { 'src/lazy.js': `export default "save ${save}"` })
        }
        await saveUntilSigned(folder, 'save 3', () => closed === builds)
        assert.ok(builds > 2, 'builds overlapped')
      } finally {
        await watcher.close()
      }
    })

  for (const hook of ['generateBundle', 'writeBundle'])
    test(`${vite}: watching signs again after a rebuild that failed in ${hook}`, async () => {
      const folder = await sources(vite)
      const { build: viteBuild } = (await import(vite)) as typeof import('vite')
      const outDir = join(folder, 'dist')
      let fails = false
      let failures = 0
      const fail = {
        name: 'fail',
        [hook]() {
          if (!fails) return
          failures++
          throw new Error('planned failure')
        },
      }
      const watcher = (await viteBuild({
        root: folder,
        configFile: false,
        logLevel: 'silent',
        plugins: [fail as never, signedImp(key) as never],
        build: { outDir, minify: true, watch: {} },
      })) as Rollup.RollupWatcher
      try {
        await builtBy(watcher)
        await saveUntilSigned(folder, 'one')
        fails = true
        await saveUntil(folder, 'two', () => failures > 0)
        fails = false
        await saveUntilSigned(folder, 'three')
      } finally {
        await watcher.close()
      }
    })

  // Others that write: before us in the list or behind, at once or later, in either hook.

  const when = ['writeBundle', 'closeBundle'] as const
  const how = {
    'at once': (file: string) => appendFileSync(file, '\n// late'),
    'after a while': async (file: string) => {
      await sleep(30)
      await appendFile(file, '\n// late')
    },
  }
  const kinds = {
    'a plain hook': {},
    'a hook that wants to be last': { order: 'post', sequential: true },
  }
  for (const hook of when)
    for (const [speed, write] of Object.entries(how))
      for (const [kind, options] of Object.entries(kinds))
        for (const place of ['plugins', 'behind'] as const)
          test(`${vite}: refused: a ${hook} that writes ${speed}, ${kind}, listed ${place === 'plugins' ? 'before us' : 'behind us'}`, async () => {
            const folder = await sources(vite)
            const dir = join(folder, 'dist')
            const late = {
              name: 'late',
              enforce: 'post',
              [hook]: { ...options, handler: () => write(join(dir, lazyIn(dir))) },
            }
            const error = await outcomeOf(build(vite, folder, { [place]: [late] }))
            assert.is(codeOf(error), 'ERR_SIGNEDIMP_LATE_WRITE')
            assert.match(error.message, 'lazy')
            assert.match(readFileSync(join(dir, lazyIn(dir)), 'utf8'), '// late', 'it did write')
            assert.equal(manifestsIn(dir), [], 'no signature is left')
          })

  const acts: Record<string, [act: (dir: string) => void, code: string]> = {
    'removes a chunk': [(dir) => unlinkSync(join(dir, lazyIn(dir))), 'ERR_SIGNEDIMP_LATE_WRITE'],
    'changes a page': [
      (dir) => appendFileSync(join(dir, 'index.html'), '<p>'),
      'ERR_SIGNEDIMP_LATE_WRITE',
    ],
    'empties a chunk': [
      (dir) => writeFileSync(join(dir, lazyIn(dir)), ''),
      'ERR_SIGNEDIMP_LATE_WRITE',
    ],
    'changes the page manifest': [
      (dir) => appendFileSync(join(dir, pageManifestsIn(dir)[0]!), '\n'),
      'ERR_SIGNEDIMP_LATE_WRITE',
    ],
    'removes the page manifest': [
      (dir) => unlinkSync(join(dir, pageManifestsIn(dir)[0]!)),
      'ERR_SIGNEDIMP_LATE_WRITE',
    ],
    'adds a script': [(dir) => writeFileSync(join(dir, 'sw.js'), ''), 'ERR_SIGNEDIMP_NOT_COVERED'],
    'adds WebAssembly': [
      (dir) => writeFileSync(join(dir, 'a.wasm'), ''),
      'ERR_SIGNEDIMP_NOT_COVERED',
    ],
    'adds an image with a script': [
      (dir) => writeFileSync(join(dir, 'a.svg'), '<svg><script>a()</script></svg>'),
      'ERR_SIGNEDIMP_NOT_COVERED',
    ],
    'adds a document of XML with a script': [
      (dir) => writeFileSync(join(dir, 'a.xhtml'), '<html><script>a()</script></html>'),
      'ERR_SIGNEDIMP_NOT_COVERED',
    ],
    'adds an image in UTF-16, in which nobody sees scripts': [
      (dir) => writeFileSync(join(dir, 'a.svg'), '<svg><script>a()</script></svg>', 'utf16le'),
      'ERR_SIGNEDIMP_NOT_COVERED',
    ],
    'copies a page for another language': [
      (dir) => {
        mkdirSync(join(dir, 'de'))
        writeFileSync(join(dir, 'de/index.html'), readFileSync(join(dir, 'index.html')))
      },
      'ERR_SIGNEDIMP_NOT_COVERED',
    ],
    'adds a name that cannot be listed': [
      (dir) => writeFileSync(join(dir, 'a\u202eb.txt'), ''),
      'ERR_SIGNEDIMP_PATH',
    ],
    'adds a name that differs in letter case': [
      (dir) =>
        writeFileSync(
          join(dir, lazyIn(dir).toUpperCase().replace('ASSETS', 'assets').replace('.JS', '.txt')),
          '',
        ),
      '',
    ],
  }
  for (const [what, [act, code]] of Object.entries(acts))
    test(`${vite}: another plugin that ${what}${code ? ' is refused' : ''}`, async () => {
      const folder = await sources(vite)
      const dir = join(folder, 'dist')
      const late = { name: 'late', closeBundle: () => act(dir) }
      if (!code) {
        await build(vite, folder, { plugins: [late] })
        await check(dir, key)
        return
      }
      assert.is(codeOf(await outcomeOf(build(vite, folder, { plugins: [late] }))), code)
      assert.equal(manifestsIn(dir), [])
    })

  test(`${vite}: another plugin that adds files that are no code is listed with them`, async () => {
    const folder = await sources(vite)
    const dir = join(folder, 'dist')
    const late = {
      name: 'late',
      closeBundle() {
        writeFileSync(join(dir, 'robots.txt'), 'hello')
        writeFileSync(join(dir, 'logo.svg'), '<svg><style>a{}</style></svg>')
      },
    }
    await build(vite, folder, { plugins: [late] })
    const { main } = await check(dir, key)
    assert.ok(main.files.has('robots.txt') && main.files.has('logo.svg'))
  })

  test(`${vite}: a build that another plugin fails leaves no manifest`, async () => {
    for (const hook of ['generateBundle', 'writeBundle', 'closeBundle']) {
      const folder = await sources(vite)
      const fail = {
        name: 'fail',
        [hook]: () => {
          throw new Error('planned failure')
        },
      }
      const error = await outcomeOf(build(vite, folder, { plugins: [fail] }))
      assert.match(error.message, 'planned failure', hook)
      assert.not.ok(manifestsIn(join(folder, 'dist')).includes('signedimp-manifest.txt'), hook)
    }
  })

  test(`${vite}: refused: the plugin twice, of which each would refuse what the other made`, async () => {
    const folder = await sources(vite)
    const error = await outcomeOf(build(vite, folder, { behind: [signedImp(key)] }))
    assert.instance(error, TypeError)
    assert.match(error.message, 'twice')
  })

  test(`${vite}: the error of an app that does not parse is not hidden by a key that is missing`, async () => {
    const folder = await sources(vite)
    await writeFiles(folder, { 'src/main.js': 'const a = ;' })
    const { build: viteBuild } = (await import(vite)) as typeof import('vite')
    const building = viteBuild({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      plugins: [signedImp('missing.key', { name: 'x' }) as never],
    })
    const { message } = await outcomeOf(building)
    assert.match(message, 'main.js')
    assert.not.match(message, 'missing.key')
  })
}

/** Waits for the end of the next build, and ends it as Vite's command line would. */
function builtBy(watcher: Rollup.RollupWatcher): Promise<void> {
  return new Promise((done, fail) => {
    watcher.on('event', (event) => {
      if (event.code === 'ERROR') fail(event.error)
      if (event.code === 'END') done()
    })
  })
}

/**
 * Saves the lazy module, and again every few seconds, until something has come of it: a watcher that has just built may
 * not watch yet, or take two writes for one. Rolldown tells of the end of a build before its last hook has run.
 */
async function saveUntil<T>(
  folder: string,
  text: string,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  for (let tries = 0; tries < 600; tries++) {
    if (tries % 60 === 0)
      await writeFiles(folder, { 'src/lazy.js': `export default "${text}"\n//${tries}` })
    await sleep(50)
    const found = await look()
    if (found) return found
  }
  throw new Error(`nothing came of "${text}"`)
}

/** Saves the lazy module until a build of it is signed. @returns what is signed, and the path of that module's chunk */
const saveUntilSigned = (folder: string, text: string, isAtRest: () => boolean = () => true) =>
  saveUntil(folder, text, async () => {
    const dir = join(folder, 'dist')
    const signed = isAtRest() ? await check(dir, key).catch(() => undefined) : undefined
    const lazy = [...(signed?.main.files.keys() ?? [])].find((path) =>
      new RegExp(`(["'\`])${text}\\1`).test(textIn(dir, path)),
    )
    return signed && lazy !== undefined ? { ...signed, lazy } : undefined
  })

test.run()
