import { createPublicKey, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rollup } from 'rollup'
import { rolldown } from 'rolldown'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp, type SignedImpOptions } from 'signedimp'
import type { InlineConfig } from 'vite'
import { generateKey } from '../../src/keys/generate.ts'
import { carrierOf } from '../emit/emitted.ts'
import { buildByEsbuild } from '../support/esbuild.ts'
import { buildFixture, writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { check, codeOf, filesIn, manifestsIn, outcomeOf, textIn, vites } from './built.ts'
import { logging } from './logging.ts'

// What builds of mode 'report-only' write and say.

const key = await generateKey('ed25519')
const files = {
  'index.html':
    '<!doctype html>\n<html><head><meta charset="utf-8"><script type="module" src="/src/main.js"></script></head><body></body></html>\n',
  'src/main.js': 'import "./dep.js"\nimport("./lazy.js").then(console.log)\n',
  'src/dep.js': 'globalThis.dep = import.meta.url\n',
  'src/lazy.js': 'import "./dep.js"\nexport default "lazy"\n',
}
const loose = {
  'src/lazy.js': 'export default new SharedWorker(new URL("./worker.js", import.meta.url))\n',
  'src/worker.js': 'onconnect = () => {}\n',
}
const mode = 'report-only'
const loud =
  "signedimp: mode is 'report-only': the pages of this build report what they would refuse, and REFUSE NOTHING"
const failing = "signedimp: with mode 'on' this build fails: "

/** A page without what was added to it. */
const withoutWatcher = (html: string): string =>
  html.replace(/<script[^>]* data-mode="report-only"[^>]*>[^]*?<\/script>\n/, '')

for (const vite of vites) {
  test(`${vite}: nothing but pages differs from a plain build, and it is loud`, async () => {
    const { logger, said } = logging()
    // Rolldown's comments name the folder of the build.
    const build = { minify: true }
    const config = { customLogger: logger, build } as InlineConfig
    const dir = await buildFixture(files, { vite, config, plugins: [signedImp(key, { mode })] })
    const plain = await buildFixture(files, { vite, config: { build } })
    const { pages, main } = await check(dir, key)
    assert.is(pages.size, 1)
    const own = manifestsIn(dir)
    assert.equal(
      filesIn(dir).filter((path) => !own.includes(path)),
      filesIn(plain),
    )
    for (const path of filesIn(plain))
      assert.is(withoutWatcher(textIn(dir, path)), textIn(plain, path), path)
    const { attributes } = carrierOf(textIn(dir, 'index.html'))!
    assert.is(attributes['data-mode'], mode)
    assert.is(main.imports.size, 0)
    assert.match(said(), `warn: ${loud}`)
    assert.match(said(), /bootstrap for a Content-Security-Policy: '(sha256-[\w+/]{43}=)'\n/)
    const [, of, on] = /Policy: '(\S+)'\n {2}with mode 'on' that will be '(\S+)'/.exec(said())!
    assert.is.not(of, on)
    assert.match(said(), 'promise: none')
    assert.not.match(said(), failing)
    const enforcing = logging()
    await buildFixture(files, {
      vite,
      config: { customLogger: enforcing.logger } as InlineConfig,
      plugins: [signedImp(key)],
    })
    assert.match(enforcing.said(), `Content-Security-Policy: '${on}'`)
    assert.not.match(enforcing.said(), 'report-only')
  })

  test(`${vite}: what would fail is warned of, with what is added behind`, async () => {
    const { logger, said } = logging()
    const late = {
      name: 'late',
      writeBundle: ({ dir }: { dir: string }) => writeFileSync(join(dir, 'late.js'), '1'),
    }
    const dir = await buildFixture(
      { ...files, ...loose },
      {
        vite,
        config: { customLogger: logger } as InlineConfig,
        plugins: [late, signedImp(key, { mode })],
      },
    )
    assert.ok((await check(dir, key)).main.files.has('late.js'))
    const warned = said()
      .split('warn: ')
      .filter((text) => text.startsWith(failing))
    assert.is(warned.length, 2, said())
    assert.match(warned[0]!, /ERR_SIGNEDIMP_NOT_COVERED[^]*worker-[\w-]+\.js/)
    assert.match(warned[1]!, /ERR_SIGNEDIMP_NOT_COVERED[^]*late\.js/)
  })
}

test('what keeps the list from being true fails all the same', async () => {
  const changes = {
    name: 'changes',
    closeBundle: { order: 'post', sequential: true, handler() {} },
    writeBundle: {
      order: 'post',
      sequential: true,
      handler: ({ dir }: { dir: string }) => writeFileSync(join(dir, 'assets/index.js'), '1'),
    },
  }
  const build = (plugins: unknown[], more = {}) =>
    outcomeOf(
      buildFixture({ ...files, ...more }, { plugins: [signedImp(key, { mode }), ...plugins] }),
    )
  assert.is(codeOf(await build([changes])), 'ERR_SIGNEDIMP_LATE_WRITE')
  const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string
  const exposed = { 'src/main.js': `globalThis.pem = ${JSON.stringify(pem)}` }
  const own = signedImp(pem, { mode })
  assert.is(
    codeOf(await outcomeOf(buildFixture({ ...files, ...exposed }, { plugins: [own] }))),
    'ERR_SIGNEDIMP_KEY_EXPOSED',
  )
})

test('a signer signs what is written, and nothing of what is only tried', async () => {
  let count = 0
  const signer = {
    publicKey: createPublicKey(key),
    sign(bytes: Uint8Array) {
      count++
      return sign(null, bytes, key)
    },
  }
  const dir = await buildFixture(files, { plugins: [signedImp(signer, { mode })] })
  assert.is(count, 2)
  await check(dir, key)
})

test('without a private key it says that pages report that, too', async () => {
  const { logger, said } = logging()
  await buildFixture(files, {
    config: { customLogger: logger } as InlineConfig,
    plugins: [signedImp(createPublicKey(key), { mode })],
  })
  assert.match(said(), 'NOT SIGNED YET: the pages of this build report that; run')
  assert.match(said(), loud)
})

test('linked, the bootstrap has a name of its own', async () => {
  const dir = await buildFixture(files, { plugins: [signedImp(key, { mode, inline: false })] })
  const own = filesIn(dir).filter((path) => path.startsWith('signedimp-') && path.endsWith('.js'))
  assert.is(own.length, 1)
  assert.match(own[0]!, /^signedimp-report-only-[0-9a-f]{16}\.js$/)
  const { src, integrity } = carrierOf(textIn(dir, 'index.html'))!.attributes
  assert.is(src, `/${own[0]}`)
  assert.match(integrity!, /^sha256-/)
  await check(dir, key)
})

test('over a report-only build another one can be built that refuses', async () => {
  const folder = scratchFolder()
  const outDir = join(folder, 'dist')
  const config = { build: { outDir, emptyOutDir: false } } as InlineConfig
  for (const options of [{ mode }, {}] as SignedImpOptions[])
    await buildFixture(files, { config, plugins: [signedImp(key, { ...options, build: 1 })] })
  await check(outDir, key)
  assert.is(carrierOf(textIn(outDir, 'index.html'))!.attributes['data-mode'], undefined)
})

const page = '<!doctype html><meta charset="utf-8"><script src="main.js" type="module"></script>'
const html = {
  name: 'html',
  generateBundle(this: { emitFile(file: object): string }) {
    this.emitFile({ type: 'asset', fileName: 'index.html', source: page })
  },
}
const bundlers = { rollup, rolldown } as unknown as Record<string, typeof rollup>

/** Builds with Rollup or Rolldown. @returns the folder and what is said */
async function bundle(name: string, plugins: object[], input: string[] = ['src/main.js']) {
  const folder = scratchFolder()
  const said: string[] = []
  await writeFiles(folder, { ...files, 'src/other.js': 'export const other = 1' })
  const own = signedImp(key, { name: 'fixture', mode })
  const build = await bundlers[name]!({
    input: input.map((file) => join(folder, file)),
    plugins: [own as never, ...(plugins as never[])],
    onLog: (level, { message }) => void said.push(`${level}: ${message}`),
  })
  const dir = join(folder, 'dist')
  const names = { entryFileNames: '[name].js', chunkFileNames: '[name].js' }
  try {
    await build.write({ dir, ...names })
  } finally {
    await build.close()
  }
  return { dir, said: said.join('\n') }
}

for (const name of Object.keys(bundlers)) {
  test(`${name}: modules stay as they are, and it is loud`, async () => {
    const { dir, said } = await bundle(name, [html])
    await check(dir, key)
    assert.match(textIn(dir, 'main.js'), /import\(/)
    assert.is(carrierOf(textIn(dir, 'index.html'))!.attributes['data-mode'], mode)
    assert.match(said, loud)
  })

  test(`${name}: an entry that no page starts is named, and needs a page beside it`, async () => {
    const { said } = await bundle(name, [html], ['src/main.js', 'src/other.js'])
    assert.match(said, "mode 'report-only' tells nothing of other.js")
    assert.match((await outcomeOf(bundle(name, []))).message, "mode 'report-only' is for pages")
  })
}

test('esbuild: modules stay as they are, and it is loud', async () => {
  const { dir, result } = await buildByEsbuild(files, { key, signed: { mode } })
  const unsigned = await buildByEsbuild(files)
  await check(dir, key)
  for (const path of filesIn(unsigned.dir)) assert.is(textIn(dir, path), textIn(unsigned.dir, path))
  assert.is(carrierOf(textIn(dir, 'index.html'))!.attributes['data-mode'], mode)
  assert.equal(
    result.warnings.map(({ text }) => text),
    [loud],
  )
})

test('esbuild: what would fail is warned of', async () => {
  const strange = files['index.html'].replace(
    '<script',
    '<script src="//cdn.test/a.js"></script><script',
  )
  const { result } = await buildByEsbuild(
    { ...files, 'index.html': strange },
    { key, signed: { mode }, config: { entryPoints: { 'assets/index': 'src/main.js' } } },
  )
  const texts = result.warnings.map(({ text }) => text)
  assert.ok(texts.includes(loud))
  assert.ok(
    texts.some((text) => text.startsWith(`${failing}ERR_SIGNEDIMP_`)),
    texts.join('\n'),
  )
})

test.run()
