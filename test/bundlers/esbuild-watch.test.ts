import { rmSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BuildContext, BuildResult, Message, Plugin } from 'esbuild'
import { signedImp } from 'signedimp/esbuild'
import { carrierOf } from '../emit/emitted.ts'
import { writeFiles } from '../support/fixture.ts'
import { manifestsIn, textIn } from './built.ts'
import {
  appFiles,
  checkFolder,
  createApp,
  esbuilds,
  key,
  load,
  optionsOf,
  refusalOf,
  textsIn,
  type EsbuildName,
  type Found,
  type Said,
} from './esbuild-project.ts'

// Contexts: builds of one set of options, one after another.

const mains = /^(main|lazy|dep|other|chunk)/

/** Names of the app's chunks, as far as their names are told apart by hashes. */
const chunksOf = ({ pages }: Found): string[] =>
  [...pages.values()]
    .flatMap(({ files }) => [...files.keys()])
    .filter((path) => mains.test(path))
    .sort()

/** Tells when a build has ended, after what every other plugin did then. */
function observer() {
  const ended: BuildResult[] = []
  let wake = () => {}
  const plugin: Plugin = {
    name: 'observer',
    setup(build) {
      let isFirst = true
      // Registered at the end of the first build, behind what signedimp registers then.
      build.onEnd(() => {
        if (isFirst)
          build.onEnd((result) => {
            ended.push(result)
            wake()
          })
        isFirst = false
      })
    },
  }
  /** The result of the next build. */
  async function next(): Promise<BuildResult> {
    if (ended.length === 0)
      await new Promise<void>((done, fail) => {
        const timer = setTimeout(() => fail(new Error('no build ended within 20 s')), 20_000)
        wake = () => (clearTimeout(timer), done())
      })
    return ended.shift()!
  }
  return { plugin, next }
}

async function contextOf(folder: string, said: Said = {}): Promise<BuildContext> {
  const { context } = await load(said.esbuild)
  return context(optionsOf(folder, said))
}

const page = { html: ['index.html'] }

for (const esbuild of esbuilds)
  test(`${esbuild}: watching: chunks appear, change and vanish, and a page changes`, async () => {
    const folder = await createApp()
    const { plugin, next } = observer()
    const context = await contextOf(folder, { esbuild, behind: [plugin], signed: page })
    const dir = join(folder, 'dist')
    /** A watcher may see the one of two changes before the other. */
    async function until(isThere: (found: Found) => boolean): Promise<Found> {
      for (;;) {
        const found = await checkFolder(dir, await next())
        if (isThere(found)) return found
      }
    }
    const change = (files: Record<string, string>) => writeFiles(folder, files)
    const othersIn = (paths: Iterable<string>) =>
      [...paths].filter((path) => path.startsWith('other-'))
    try {
      await context.watch()
      await until(({ files }) => files.some((path) => path.startsWith('lazy-')))

      // A chunk appears.
      const loading = `${appFiles['src/main.js']}globalThis.other = () => import('./other.js')\n`
      await change({ 'src/other.js': 'export default 1', 'src/main.js': loading })
      const second = await until(({ files }) => othersIn(files).length === 1)

      // It changes: the old one stays for pages that are open, and is still listed.
      await change({ 'src/other.js': 'export default 2' })
      const third = await until(({ files }) => othersIn(files).length === 2)
      assert.ok(othersIn(second.files).every((path) => third.main.files.has(path)))

      // A build with an error: the folder stays as it was, signed.
      const texts = textsIn(dir)
      await change({ 'src/other.js': 'export default (' })
      const failed = await next()
      assert.is.not(failed.errors[0]!.pluginName, 'signedimp')
      assert.equal(textsIn(dir), texts)
      await change({ 'src/other.js': 'export default 3' })
      await until(({ files }) => othersIn(files).length === 3)

      // One that ours refuses: nothing is written, and what was signed still is.
      const signed = textsIn(dir)
      const html = appFiles['index.html']!
      await change({ 'index.html': html.replace('<body>', '<script type="module">1</script>') })
      const refused = await next()
      assert.match(refused.errors[0]!.text, 'ERR_SIGNEDIMP_NOT_COVERED')
      assert.equal(textsIn(dir), signed)

      // The page changes.
      await change({ 'index.html': html.replace('app', 'another title') })
      await until(() => textIn(dir, 'index.html').includes('another title'))

      // The chunk vanishes: no page can load it any more, though it is still there.
      await change({ 'src/main.js': appFiles['src/main.js']! })
      const last = await until((found) => othersIn(startable(found)).length === 0)
      assert.is(othersIn(last.main.files.keys()).length, 3)
    } finally {
      await context.dispose()
    }
  })

/** What the page in a folder can load. */
function startable({ dir, pages }: Found): Iterable<string> {
  const carrier = carrierOf(textIn(dir, 'index.html'))!
  return pages.get(carrier.attributes['data-manifest']!.slice('./'.length))!.files.keys()
}

for (const esbuild of esbuilds) {
  test(`${esbuild}: rebuilding what has not changed writes only the manifest`, async () => {
    const folder = await createApp()
    const context = await contextOf(folder, {
      esbuild,
      signed: page,
      sourcemap: true,
      entryPoints: ['src/main.js', 'src/admin.js'],
    })
    const dir = join(folder, 'dist')
    const stampsOf = ({ files }: Found) =>
      new Map(
        files
          .filter((path) => path !== 'signedimp-manifest.txt')
          .map((path) => [path, statSync(join(dir, path), { bigint: true }).mtimeNs]),
      )
    try {
      const first = await checkFolder(dir, await context.rebuild())
      const texts = textsIn(dir)
      const second = await checkFolder(dir, await context.rebuild())
      assert.equal(stampsOf(second), stampsOf(first))
      assert.equal(textsIn(dir), texts)
    } finally {
      await context.dispose()
    }
  })

  test(`${esbuild}: serve() hands out nothing that a browser would run, and leaves the folder signed`, async () => {
    const folder = await createApp()
    const context = await contextOf(folder, { esbuild, signed: page, entryNames: '[name]-[hash]' })
    const dir = join(folder, 'dist')
    try {
      const found = await checkFolder(dir, await context.rebuild())
      const { port } = await context.serve({ servedir: dir, host: '127.0.0.1' })
      const get = (path: string) => fetch(port, path)
      for (const path of chunksOf(found).filter((name) => name.endsWith('.js'))) {
        const text = await get(path)
        assert.match(text, /^import"signedimp:not-signed\.[^"]*";$/m, path)
        assert.is.not(text, textIn(dir, path))
      }
      assert.is(await get('index.html'), textIn(dir, 'index.html'))
      await checkFolder(dir, found.result)
    } finally {
      await context.dispose()
    }
  })
}

/** What a server answers, as text. */
const fetch = (port: number, path: string): Promise<string> =>
  new Promise((done, fail) => {
    request({ host: '127.0.0.1', port, path: `/${path}` }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => void (text += part))
      response.on('end', () => done(text))
    })
      .on('error', fail)
      .end()
  })

test('what a plugin spoils in one build is signed again in the next', async () => {
  const folder = await createApp()
  const dir = join(folder, 'dist')
  let act = () => {}
  const spoil: Plugin = { name: 'spoil', setup: (build) => build.onEnd(() => act()) }
  const context = await contextOf(folder, { behind: [spoil], entryNames: '[name]-[hash]' })
  try {
    const first = await checkFolder(dir, await context.rebuild())
    act = () => rmSync(join(dir, 'dot.png'), { force: true })
    const { text } = await refusalOf(context.rebuild())
    assert.match(text, 'ERR_SIGNEDIMP_LATE_WRITE dot.png')
    assert.not.ok(manifestsIn(dir).includes('signedimp-manifest.txt'))
    act = () => {}
    await createApp({ 'src/dep.js': 'export const dep = 2' }, folder)
    const last = await checkFolder(dir, await context.rebuild())
    assert.ok(last.files.length > first.files.length)
  } finally {
    await context.dispose()
  }
})

for (const esbuild of ['esbuild', 'esbuild26'] as EsbuildName[])
  test(`${esbuild}: one plugin in two contexts at once, and in one folder one after the other`, async () => {
    const folder = await createApp()
    const plugin = signedImp(key)
    const { context } = await load(esbuild)
    const options = optionsOf(folder, {
      signed: false,
      plugins: [plugin],
      entryNames: '[name]-[hash]',
    })
    const contexts = await Promise.all([
      context({ ...options }),
      context({ ...options, outdir: 'out', entryPoints: ['src/admin.js'] }),
    ])
    try {
      const results = await Promise.all(contexts.map((one) => one.rebuild()))
      const [one, other] = [
        await checkFolder(join(folder, 'dist'), results[0]!),
        await checkFolder(join(folder, 'out'), results[1]!),
      ]
      assert.match(one.bootstraps[0]!, /^main-/)
      assert.match(other.bootstraps[0]!, /^admin-/)
      const third = await context({ ...options, entryPoints: ['src/admin.js'] })
      const both = await checkFolder(join(folder, 'dist'), await third.rebuild())
      await third.dispose()
      assert.equal(both.bootstraps, [...other.bootstraps, ...one.bootstraps])
      const [there, here] = [textsIn(join(folder, 'out')), textsIn(both.dir)]
      for (const path of chunksOf(other)) assert.is(here.get(path), there.get(path), path)
    } finally {
      for (const one of contexts) await one.dispose()
    }
  })

test('an error of esbuild first, then a build: the key is read when there is something to sign', async () => {
  const folder = await createApp({ ...appFiles, 'src/main.js': '(' })
  const context = await contextOf(folder)
  try {
    const error = await refusalOf(context.rebuild())
    assert.is.not((error as Message).pluginName, 'signedimp')
    assert.equal(manifestsIn(join(folder, 'dist')), [])
    await createApp({ 'src/main.js': '1' }, folder)
    await checkFolder(join(folder, 'dist'), await context.rebuild())
  } finally {
    await context.dispose()
  }
})

test.run()
