import { spawnSync } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, context, type BuildOptions, type Plugin } from 'esbuild'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp } from '../../dist/esbuild.js'
import { generateKey } from '../../dist/index.js'
import { root as checkout } from '../support/files.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'

// What a plugin does to a build before it begins: options, and other plugins.

const root = scratchFolder()
await writeFiles(root, {
  'package.json': '{"name":"fixture","type":"module"}',
  'main.js': 'globalThis.open = () => import("./cart.js")\n',
  'cart.js': 'export const cart = "open"\n',
})
const key = await generateKey('ed25519')
const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()

const optionsOf = (plugins: Plugin[]): BuildOptions => ({
  absWorkingDir: root,
  entryPoints: ['main.js'],
  outdir: scratchFolder(),
  bundle: true,
  splitting: true,
  format: 'esm',
  logLevel: 'silent',
  plugins,
})

const isSigned = (folder: string): boolean => existsSync(join(folder, 'signedimp-manifest.txt'))

test('options are the same after a build as before it', async () => {
  const footer = { css: '/* end */' }
  const options = { ...optionsOf([signedImp(key)]), footer }
  const before = { ...options }
  await build(options)
  assert.is(options.footer, footer)
  for (const [name, value] of Object.entries(options))
    assert.is(value, before[name as keyof typeof before], name)
})

test('options that were used once, with the plugin or without it, can be used again', async () => {
  const options = optionsOf([signedImp(key)])
  await build(options)
  const [again, plain] = [scratchFolder(), scratchFolder()]
  await build({ ...options, outdir: again })
  assert.ok(isSigned(again))
  await build({ ...options, outdir: plain, plugins: [] })
  assert.not.match(readFileSync(join(plain, 'main.js'), 'utf8'), 'signedimp')
})

test('options can be those of two contexts', async () => {
  const options = optionsOf([signedImp(key)])
  const copy = { ...options, outdir: scratchFolder() }
  const contexts = [await context(options), await context(Object.assign(options, copy))]
  for (const { rebuild, dispose } of contexts) {
    assert.is((await rebuild()).outputFiles, undefined)
    await dispose()
  }
  assert.ok(isSigned(copy.outdir))
})

/** Asks what an entry point is, as esbuild's documentation shows it. */
const asking: Plugin = {
  name: 'asking',
  setup(build) {
    const asked = Symbol('asked')
    build.onResolve({ filter: /.*/ }, async ({ path, kind, pluginData, resolveDir }) => {
      if (kind !== 'entry-point' || pluginData === asked) return undefined
      const found = await build.resolve(path, { kind, resolveDir, pluginData: asked })
      return { path: found.path }
    })
  },
}

for (const plugins of [
  [asking, signedImp(key)],
  [signedImp(key), asking],
])
  test(`two plugins that ask what an entry is do not ask for ever: ${plugins[0]!.name} first`, async () => {
    const options = optionsOf(plugins)
    await build(options)
    assert.ok(isSigned(options.outdir!))
  })

test('the plugin cannot be there twice', async () => {
  try {
    await build(optionsOf([signedImp(key), signedImp(key)]))
    assert.unreachable('it was built')
  } catch (error) {
    assert.match((error as Error).message, 'signedimp is there twice')
  }
})

/** What a build prints as a program of its own. */
function printed(call: string, options: string): string {
  const program = `import { build } from 'esbuild'
import { signedImp } from 'signedimp/esbuild'
const { warnings } = await build({ entryPoints: ['${join(root, 'main.js')}'], bundle: true, format: 'esm',
  outdir: '${scratchFolder()}', absWorkingDir: '${root}', plugins: [${call}], ${options} })
console.log(warnings.length)`
  const args = ['--input-type=module', '-e', program]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: checkout, encoding: 'utf8' })
  assert.is(stdout, '1\n', stderr)
  return stderr
}

for (const [call, message] of [
  ["signedImp('release.pem.pub')", 'NOT SIGNED YET'],
  ["signedImp('release.pem.pub', { mode: 'off' })", "mode is 'off': this output is NOT signed"],
] as const)
  test(`a build that signs nothing says so, once and where warnings are shown: ${message}`, async () => {
    await writeFiles(root, { 'release.pem.pub': publicKey })
    assert.is(printed(call, '').split(message).length, 2)
    assert.is(printed(call, "logLevel: 'error'"), '')
  })

test.run()
