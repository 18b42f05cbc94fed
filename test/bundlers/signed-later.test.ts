import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp, type SignedImpOptions } from 'signedimp'
import type { InlineConfig, Rollup } from 'vite'
import { generateKey } from '../../src/keys/generate.ts'
import { jsonOf, signedimp } from '../cli/run.ts'
import { carrierOf } from '../emit/emitted.ts'
import { buildFixture, writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import {
  attackedVites,
  check,
  codeOf,
  filesIn,
  manifestsIn,
  outcomeOf,
  pageManifestsIn,
  textIn,
  type ViteName,
} from './built.ts'

// A build that has the public key only, whose output another job signs.

const key = await generateKey('ed25519')
const publicKey = createPublicKey(key)
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }) as string
const privatePem = key.export({ type: 'pkcs8', format: 'pem' }) as string

const files = {
  'index.html': '<!doctype html><script type="module" src="/src/main.js"></script>',
  'src/main.js': 'globalThis.load = () => import("./lazy.js")\nconsole.log(1)',
  'src/lazy.js': 'export default "one"',
  'release.pem': privatePem,
  'release.pem.pub': publicPem,
}

interface Options {
  vite?: ViteName
  more?: Record<string, string>
  config?: InlineConfig
  signed?: SignedImpOptions
  source?: Parameters<typeof signedImp>[0]
}

const build = ({ vite = 'vite', more, config, signed, source = 'release.pem.pub' }: Options = {}) =>
  buildFixture(
    { ...files, ...more },
    { vite, plugins: [signedImp(source, signed)], config: { logLevel: 'silent', ...config } },
  )

/** The job that has the key. */
const sign = (dir: string) =>
  signedimp(['sign', 'dist', '--key', 'release.pem'], { cwd: dirname(dir) })
const verify = (dir: string) =>
  signedimp(['verify', 'dist', '--key', 'release.pem.pub', '--json'], { cwd: dirname(dir) })

const isUnsigned = (dir: string, path: string) => textIn(dir, path).startsWith('\nsha256\n')

for (const vite of attackedVites) {
  test(`${vite}: a build with a public key differs from a signed one in its signatures only`, async () => {
    // Without the comments that say where sources stood.
    const config = { build: { minify: true } }
    for (const inline of [true, false]) {
      const later = await build({ vite, signed: { inline }, config })
      assert.equal(manifestsIn(later).filter((path) => isUnsigned(later, path)).length, 2)
      const refused = verify(later)
      assert.is(refused.status, 1)
      assert.is(jsonOf(refused).error.code, 'ERR_SIGNEDIMP_SIGNATURE')

      assert.is(sign(later).status, 0)
      assert.is(verify(later).status, 0)
      await check(later, key)
      if (!inline) continue
      // Ed25519 signs alike every time, so that all files must be the same.
      const now = await build({ vite, source: 'release.pem', config })
      assert.equal(filesIn(later), filesIn(now))
      for (const path of filesIn(now)) assert.is(textIn(later, path), textIn(now, path), path)
    }
  })
}

test('pages never carry what is signed later', async () => {
  const now = await build({ source: 'release.pem', signed: { inline: false } })
  assert.match(textIn(now, 'index.html'), 'ZWQyNTUxOT', 'a signed page carries its manifest')
  const later = await build({ signed: { inline: false } })
  assert.not.match(textIn(later, 'index.html'), '# signedimp: 1')
  const error = await outcomeOf(build({ signed: { inline: 'all' } }))
  assert.match(error.message, /inline: 'all'.*public key/)
})

test('the key may be a file, a URL, a text or an object', async () => {
  const folder = scratchFolder()
  await writeFiles(folder, { 'a.pub': publicPem })
  for (const source of [pathToFileURL(join(folder, 'a.pub')), publicPem, publicKey]) {
    const dir = await build({ source })
    assert.is(verify(dir).status, 1)
    assert.is(sign(dir).status, 0)
    await check(dir, key)
  }
})

test('the build warns that nothing is signed yet, and does not say that it is', async () => {
  const said: string[] = []
  const note = (level: string) => (text: string) => void said.push(`${level}: ${text}`)
  const [info, warn, error] = ['info', 'warn', 'error'].map(note) as [never, never, never]
  const customLogger = { info, warn, warnOnce: warn, error, clearScreen() {} } as never
  await build({ config: { customLogger, logLevel: 'info' } })
  assert.match(said.join('\n'), /^warn: signedimp: NOT SIGNED YET: .*run signedimp sign /m)
  assert.match(said.join('\n'), /^info: signedimp: listed, but NOT SIGNED YET: fixture/m)
  assert.not.match(said.join('\n'), 'signedimp: signed')
})

test('Rollup warns, too', async () => {
  const { rollup } = await import('rollup')
  const root = scratchFolder()
  await writeFiles(root, { 'main.js': 'console.log(1)' })
  const said: string[] = []
  const html = {
    name: 'html',
    generateBundle(this: { emitFile(file: object): string }) {
      const source = '<script type="module" src="/main.js"></script>'
      this.emitFile({ type: 'asset', fileName: 'index.html', source })
    },
  }
  const plugins = [html, signedImp(publicKey, { name: 'shop' })] as never[]
  const onLog = (level: string, { message }: { message: string }) =>
    void said.push(`${level} ${message}`)
  const bundle = await rollup({ input: join(root, 'main.js'), plugins, onLog })
  await bundle.write({ dir: join(root, 'dist') })
  await bundle.close()
  assert.match(said.join('\n'), /^warn .*NOT SIGNED YET/m)
})

test('several signatures may all come later', async () => {
  const second = await generateKey('ecdsa-p256')
  const dir = await build({
    signed: { keys: [createPublicKey(second)], threshold: 2, name: 'shop' },
    more: { 'second.pem': second.export({ type: 'pkcs8', format: 'pem' }) as string },
  })
  sign(dir)
  assert.is(verify(dir).status, 0)
  const other = signedimp(['sign', 'dist', '--key', 'second.pem'], { cwd: dirname(dir) })
  assert.is(other.status, 0)
  for (const path of manifestsIn(dir))
    assert.is(textIn(dir, path).split('\n\n')[0]!.split('\n').length, 2, path)
})

test('entries that start by themselves are signed later, too', async () => {
  const input = ['src/main.js', 'src/lazy.js']
  const config = { build: { rollupOptions: { input } } }
  const dir = await build({ config, more: { 'src/main.js': 'console.log(import.meta.url)' } })
  assert.ok(manifestsIn(dir).length > 2, 'each entry has a manifest')
  assert.ok(manifestsIn(dir).every((path) => isUnsigned(dir, path)))
  assert.is(verify(dir).status, 1)
  assert.is(sign(dir).status, 0)
  await check(dir, key)
})

test('a public key is no key to sign with', async () => {
  const dir = await build()
  const { status, stderr } = signedimp(['sign', 'dist', '--key', 'release.pem.pub'], {
    cwd: dirname(dir),
  })
  assert.is(status, 2)
  assert.match(stderr, 'ERR_SIGNEDIMP_KEY')
  assert.ok(isUnsigned(dir, 'signedimp-manifest.txt'))
})

// What is there already.

/** Builds into a folder whose output stays, under names with hashes. */
async function rebuild(root: string, source: string): Promise<string> {
  const { build: viteBuild } = await import('vite')
  await viteBuild({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [signedImp(source)] as never,
    build: { emptyOutDir: false },
  })
  return join(root, 'dist')
}

async function sources(): Promise<string> {
  const root = scratchFolder()
  await writeFiles(root, { 'package.json': '{"name":"fixture"}', ...files })
  return root
}

const change = (root: string, text: string) =>
  writeFiles(root, { 'src/lazy.js': `export default "${text}"` })

test('what a signed build left is kept, with its page manifest', async () => {
  const root = await sources()
  const dir = await rebuild(root, 'release.pem')
  const [old] = pageManifestsIn(dir)
  await change(root, 'two')
  await rebuild(root, 'release.pem.pub')
  assert.is(verify(dir).status, 1)
  assert.is(sign(dir).status, 0)
  const { main, pages } = await check(dir, key)
  assert.is(pages.size, 2)
  for (const path of pages.get(old!)!.files.keys()) assert.ok(main.files.has(path), path)
})

test('what an unsigned build left is nothing that the next one signs for', async () => {
  const root = await sources()
  await rebuild(root, 'release.pem.pub')
  await change(root, 'two')
  for (const source of ['release.pem', 'release.pem.pub']) {
    const error = await outcomeOf(rebuild(root, source))
    assert.is(codeOf(error), 'ERR_SIGNEDIMP_FILES')
  }
})

test('a watcher builds again and again, and all of it can be signed', async () => {
  const root = await sources()
  const { build: viteBuild } = await import('vite')
  const watcher = (await viteBuild({
    root,
    configFile: false,
    logLevel: 'silent',
    plugins: [signedImp('release.pem.pub')] as never,
    build: { emptyOutDir: false, minify: false, watch: {} },
  })) as unknown as Rollup.RollupWatcher
  const dir = join(root, 'dist')
  const isListed = (text: string) => {
    const listed = manifestsIn(dir).map((path) => textIn(dir, path))
    const files = filesIn(dir).filter((path) => textIn(dir, path).includes(text))
    return files.some((path) => listed.filter((list) => list.includes(path)).length > 1)
  }
  await new Promise<void>((done) =>
    watcher.on('event', ({ code }) => void (code === 'END' && done())),
  )
  try {
    for (const text of ['"one"', '"two"', '"three"']) {
      // A watcher may take two writes for one, so that it is made again until it is seen.
      for (let tries = 0; tries < 100 && !isListed(text); tries++) {
        if (tries % 10 === 9) await writeFiles(root, { 'src/lazy.js': `export default ${text}` })
        await sleep(100)
      }
      assert.ok(isListed(text), text)
    }
  } finally {
    await watcher.close()
  }
  assert.is(sign(dir).status, 0)
  const { main } = await check(dir, key)
  assert.is([...main.files.keys()].filter((path) => path.includes('lazy')).length, 3)
})

// The public key is no secret.

test('a public key may be published, imported and served', async () => {
  const dir = await build({
    source: 'public/release.pem.pub',
    more: {
      'public/release.pem.pub': publicPem,
      'src/lazy.js': 'export { default } from "../release.pem.pub?raw"',
    },
  })
  assert.is(readFileSync(join(dir, 'release.pem.pub'), 'utf8'), publicPem)
  await build({ more: { 'src/lazy.js': 'export { default } from "../release.pem.pub?raw"' } })
  const page = textIn(dir, 'index.html')
  assert.match(page, publicPem.split('\n')[1]!)
  assert.ok(carrierOf(page)!.attributes['data-manifest'])
})

test.run()
