import { spawnSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from '../support/files.ts'
import { writeFiles } from '../support/fixture.ts'
import { blocksOf, readDocument, sectionOf } from '../support/markdown.ts'
import { install, pack } from './packed.ts'

// Whoever installs the package, and checks the types of what they write and of all that they import.

const readme = readDocument('README.md')
const [quickStart] = blocksOf(sectionOf(readme, 'Install and use'), 'js')
const [program] = blocksOf(sectionOf(readme, 'Command line'), 'js')

/** Configurations by the package whose types they use; the older Vites have other names here. */
const configs: Record<string, string> = {
  'vite.config.ts': quickStart!
    .replace(
      'export default {',
      "import { defineConfig } from 'vite'\nexport default defineConfig({",
    )
    .replace(/\}\n$/, '})\n'),
  'rollup.config.ts': `import { signedImp } from 'signedimp'
import { defineConfig } from 'rollup'
export default defineConfig({ input: 'main.js', plugins: [signedImp()], output: { format: 'es' } })
`,
  'rolldown.config.ts': `import signedImp, { type SignedImpOptions } from 'signedimp'
import { defineConfig } from 'rolldown'
const options: SignedImpOptions = { name: 'shop', inline: 'all', unverified: ['sw.js'] }
export default defineConfig({ input: 'main.js', plugins: [signedImp('release.pem', options)] })
`,
  'program.ts': `${program}
import { SignedImpError as other } from 'signedimp'
import { SignedImpError, type SignedImpCode } from 'signedimp/errors'
import type { SignedImportManager as OfServers } from 'signedimp/node'
import type { SignedImportManager } from 'signedimp/runtime'
export type Manager = SignedImportManager | OfServers
const same: typeof other = SignedImpError
export const codeOf = (error: unknown): SignedImpCode | undefined =>
  error instanceof same ? error.code : undefined
`,
}
const esbuilds = ['esbuild', 'esbuild27', 'esbuild26']
for (const esbuild of esbuilds)
  configs[`${esbuild}.build.ts`] = `import { build, context, type Plugin } from '${esbuild}'
import byDefault, { signedImp, type SignedImpOptions } from 'signedimp/esbuild'
const options: SignedImpOptions = { html: ['public/index.html'], name: 'shop' }
const plugin: Plugin = byDefault()
await build({ entryPoints: ['src/main.ts'], plugins: [signedImp('release.pem', options), plugin] })
const { rebuild } = await context({ metafile: true, plugins: [signedImp('release.pem')] })
export const { metafile } = await rebuild()
`
for (const vite of ['vite5', 'vite6', 'vite7'])
  configs[`${vite}.config.ts`] = configs['vite.config.ts']!.replace("'vite'", `'${vite}'`)

const bundlers = ['vite', 'vite5', 'vite6', 'vite7', 'rollup', 'rolldown', ...esbuilds]
const packed = pack()
const folder = realpathSync(install(packed, [...bundlers, '@types/node', 'typescript']))
await writeFiles(folder, { 'package.json': '{"type":"module"}', ...configs })

/** What TypeScript says of some files, and which it reads. */
function check(files: string[], options: string[]) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const always = ['--ignoreConfig', '--noEmit', '--strict', '--target', 'es2022', '--types', 'node']
  const args = [tsc, ...always, ...options, ...files]
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  return { status, stdout }
}

const resolutions = {
  node16: ['--module', 'node16', '--moduleResolution', 'node16'],
  nodenext: ['--module', 'nodenext', '--moduleResolution', 'nodenext'],
  bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'],
}

// One program has one Vite: each adds its own to Rollup's types.
const together = ['vite.config.ts', 'rollup.config.ts', 'rolldown.config.ts', 'program.ts']

for (const [name, options] of Object.entries(resolutions))
  test(`the types of Vite 8, Rollup and Rolldown take the plugin, resolved as ${name} does`, () => {
    const { status, stdout } = check(together, [...options, '--skipLibCheck', 'false'])
    assert.is(stdout, '')
    assert.is(status, 0)
  })

for (const vite of ['vite5', 'vite6', 'vite7'])
  test(`the types of ${vite} take the plugin`, () => {
    const options = [...resolutions.nodenext, '--skipLibCheck', 'false']
    assert.is(check([`${vite}.config.ts`], options).stdout, '')
  })

const esbuildFiles = esbuilds.map((esbuild) => `${esbuild}.build.ts`)

for (const [name, options] of Object.entries(resolutions))
  test(`the types of all three esbuilds take the plugin, resolved as ${name} does`, () => {
    const strict = ['--skipLibCheck', 'false', '--exactOptionalPropertyTypes']
    assert.is(check(esbuildFiles, [...options, ...strict]).stdout, '')
  })

// The declarations of Vite 5 and 6 are themselves not right under it.
for (const files of [together, ['vite5.config.ts'], ['vite6.config.ts'], ['vite7.config.ts']])
  test(`${files[0]}: the types are right under exactOptionalPropertyTypes too`, () => {
    const options = ['--exactOptionalPropertyTypes', '--skipLibCheck', 'true']
    assert.is(check(files, [...resolutions.nodenext, ...options]).stdout, '')
  })

const manager = readDocument('docs/manager.md')

test('the page’s part needs no types of Node', async () => {
  const [use] = blocksOf(sectionOf(manager, 'Use'), 'js')
  const [reference] = blocksOf(sectionOf(manager, 'Reference'), 'js')
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    module: 'esnext',
    moduleResolution: 'bundler',
    lib: ['es2022', 'dom'],
    types: [],
    exactOptionalPropertyTypes: true,
  }
  await writeFiles(folder, {
    'page/tsconfig.json': JSON.stringify({ compilerOptions, include: ['*.ts'] }),
    'page/use.ts': `declare const cartKey: string
${use!.replace('.import(', '.import<{ mount(where: Element): void }>(')}`,
    'page/reference.ts': `import type { InstalledManager, ManagerOptions, PublicKey, RootOptions } from 'signedimp/runtime'
declare const [ann, bea, cem, dora]: PublicKey[] & [PublicKey, PublicKey, PublicKey, PublicKey]
declare const __signedimpManager: InstalledManager
export const options: RootOptions & ManagerOptions = { build: 1, manifest: 'a.txt' }
await __signedimpManager.verify('https://x.example/a', new Uint8Array(1))
${reference}console.log(labels)
`,
  })
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', 'page'], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.is(stdout, '')
})

test('what is no option is no option to TypeScript either', async () => {
  const text = configs['rolldown.config.ts']!.replace("inline: 'all'", "inline: 'some'")
  await writeFiles(folder, { 'wrong.config.ts': text })
  assert.match(
    check(['wrong.config.ts'], resolutions.nodenext).stdout,
    `'"some"' is not assignable`,
  )
})

test('the package has those declarations that its entry points need, and no others', () => {
  const { stdout } = check(
    ['program.ts', 'esbuild.build.ts'],
    [...resolutions.nodenext, '--listFilesOnly'],
  )
  const own = join(folder, 'node_modules/signedimp')
  const read = stdout
    .trim()
    .split(/\r?\n/)
    .map((file) => relative(own, file).replaceAll('\\', '/'))
    .filter((path) => !path.startsWith('../') && path.endsWith('.d.ts'))
  for (const entry of ['index', 'esbuild', 'errors']) assert.ok(read.includes(`dist/${entry}.d.ts`))
  assert.equal(packed.paths.filter((path) => path.endsWith('.d.ts')).sort(), read.sort())
})

test.run()
