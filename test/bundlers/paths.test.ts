import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { generateKey } from '../../src/keys/generate.ts'
import { root } from '../support/files.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { attackedVites, check, codeOf, outcomeOf } from './built.ts'
import { appFiles, createProject, installInto, runNode, runVite } from './project.ts'

// Where projects, keys and packages are, and from where a build is started.

const key = await generateKey('ed25519')
const plain = key.export({ type: 'pkcs8', format: 'pem' }) as string
const encrypted = key.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'pässword',
}) as string

const below = (folder: string, files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]))

const configOf = (call: string, more = '') => `import signedImp from 'signedimp'
export default { ${more} plugins: [${call}] }
`

// A workspace: the app is one of its packages, the key is beside them.

const workspace = await createProject({
  'package.json': '{"name":"workspace","private":true,"workspaces":["packages/*"]}',
  'keys/release.pem': encrypted,
  'keys/password': 'pässword\n',
  ...below('packages/app', {
    ...appFiles,
    'vite.config.js': configOf("signedImp('../../keys/release.pem')"),
    'rooted.config.js': configOf(
      "signedImp('../../keys/release.pem')",
      'root: import.meta.dirname,',
    ),
    'url.config.js': configOf(
      "signedImp(new URL('../../keys/release.pem', import.meta.url), { name: 'fixture' })",
      'root: import.meta.dirname,',
    ),
  }),
})
const app = join(workspace, 'packages/app')

const starts: Record<string, [args: string[], cwd: string]> = {
  'in the package': [['build'], app],
  'from the top, with the folder': [['build', 'packages/app'], workspace],
  'from the top, with a config that has a root': [
    ['build', '--config', 'packages/app/rooted.config.js'],
    workspace,
  ],
  'from the top, with a key that is a URL': [
    ['build', '--config', 'packages/app/url.config.js'],
    workspace,
  ],
  'from elsewhere': [['build', app], scratchFolder()],
}
for (const [what, [args, cwd]] of Object.entries(starts))
  test(`a package of a workspace is built ${what}`, async () => {
    const env = { SIGNEDIMP_PASSWORD: 'pässword' }
    const { status, said } = runVite(args, { cwd, env })
    assert.is(status, 0, said)
    await check(join(app, 'dist'), key)
  })

test('a relative key that is not there is named with the folder that it was looked for in', async () => {
  const page = '<script type="module" src="/packages/app/src/main.js"></script>'
  await writeFiles(workspace, { 'index.html': page })
  const args = ['build', '--config', 'packages/app/vite.config.js']
  const { status, said } = runVite(args, { cwd: workspace })
  assert.is(status, 1)
  const words = `ERR_SIGNEDIMP_KEY ../../keys/release.pem: cannot be read from ${workspace} (ENOENT)`
  assert.match(said, words)
})

test("the password's file is where the variable was set, not at Vite's root", async () => {
  const env = { SIGNEDIMP_PASSWORD_FILE: 'keys/password' }
  const { status, said } = runVite(['build', 'packages/app'], { cwd: workspace, env })
  assert.is(status, 0, said)
  await check(join(app, 'dist'), key)
})

const rollupScript = (bundler: string) => `import { ${bundler} } from '${bundler}'
import signedImp from 'signedimp'
const html = {
  name: 'html',
  generateBundle() {
    const source = '<script type="module" src="/main.js"></script>'
    this.emitFile({ type: 'asset', fileName: 'index.html', source })
  },
}
const input = 'app #1/src/main.js'
const plugins = [html, signedImp('keys/release.pem', { name: 'fixture' })]
const bundle = await ${bundler}({ input, plugins })
await bundle.write({ dir: 'app #1/${bundler}' })
await bundle.close()
`
for (const bundler of ['rollup', 'rolldown'])
  test(`${bundler}: the key's path starts at the current folder`, async () => {
    installInto(workspace, bundler)
    const files = { ...below('app #1', appFiles), [`app #1/${bundler}.mjs`]: rollupScript(bundler) }
    await writeFiles(workspace, files)
    const env = { SIGNEDIMP_PASSWORD: 'pässword' }
    const { status, said } = runNode([`app #1/${bundler}.mjs`], { cwd: workspace, env })
    assert.is(status, 0, said)
    await check(join(workspace, 'app #1', bundler), key)
  })

// pnpm's node_modules: the package itself is deep in a store, with its dependencies beside it.

test('the package works from a store, behind links', async () => {
  const folder = await createProject(
    { ...appFiles, 'release.pem': plain, 'vite.config.js': configOf("signedImp('release.pem')") },
    ['vite'],
  )
  const store = join(folder, 'node_modules/.pnpm')
  const own = join(store, 'signedimp@0.1.0/node_modules/signedimp')
  cpSync(join(root, 'dist'), join(own, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(own, 'package.json'))
  symlinkSync(
    '.pnpm/signedimp@0.1.0/node_modules/signedimp',
    join(folder, 'node_modules/signedimp'),
  )
  const { dependencies } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies))
    symlinkSync(join(root, 'node_modules', name), join(own, '..', name))
  const { status, said } = runVite(['build'], { cwd: folder })
  assert.is(status, 0, said)
  await check(join(folder, 'dist'), key)

  mkdirSync(join(folder, 'node_modules/.bin'))
  symlinkSync('../signedimp/dist/cli.js', join(folder, 'node_modules/.bin/signedimp'))
  const args = ['node_modules/.bin/signedimp', 'sign', 'dist', '--key', 'release.pem']
  assert.is(runNode(args, { cwd: folder }).status, 0)
})

// Names of folders.

// No `#`: Vite itself finds no file there.
const names = ['käse & brot', '50%', '%41 %zz', "it's [x] (1)", 'ключ']
for (const vite of attackedVites)
  for (const name of names)
    test(`${vite}: a project in a folder called ${name}`, async () => {
      const folder = join(scratchFolder(), name)
      await writeFiles(folder, { ...appFiles, 'keys/release 50%.pem': plain })
      await writeFiles(folder, { 'public/robots.txt': 'User-agent: *' })
      const { build } = (await import(vite)) as typeof import('vite')
      const run = () =>
        build({
          root: folder,
          configFile: false,
          logLevel: 'silent',
          plugins: [signedImp('keys/release 50%.pem') as never],
          build: { minify: false },
        })
      await run()
      await check(join(folder, 'dist'), key)
      await writeFiles(folder, {
        'src/lazy.js': 'export { default } from "../keys/release 50%.pem?raw"',
      })
      const error = await outcomeOf(run())
      assert.is(codeOf(error), 'ERR_SIGNEDIMP_KEY_EXPOSED', error.message)
    })

test.run()
