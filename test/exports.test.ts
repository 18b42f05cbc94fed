import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from './support/files.ts'

const { exports, bin, dependencies } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
) as {
  exports: Record<string, string | { types: string; default: string }>
  bin: Record<string, string>
  dependencies: Record<string, string>
}

/** Entry points by the name that users import them by. */
const entries = Object.entries(exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [[`signedimp${name.slice(1)}`, target] as const],
)

const names = async (specifier: string) => Object.keys(await import(specifier)).sort()

test('signedimp exports the plugin, by name and by default, and the tools', async () => {
  assert.equal(await names('signedimp'), [
    'FilesRefusedError',
    'SignedImpError',
    'default',
    'generateKey',
    'loadPublicKey',
    'loadSigner',
    'pageTags',
    'pkcs11Signer',
    'publicKeyPem',
    'saveKey',
    'sealDirectory',
    'signDirectory',
    'signZipfile',
    'signedImp',
    'unsealDirectory',
    'verifyDirectory',
    'verifyZipfile',
  ])
  const { default: byDefault, signedImp } = await import('signedimp')
  assert.is(byDefault, signedImp)
})

test('signedimp/esbuild exports the plugin, by name and by default', async () => {
  assert.equal(await names('signedimp/esbuild'), ['default', 'signedImp'])
  const { default: byDefault, signedImp } = await import('signedimp/esbuild')
  assert.is(byDefault, signedImp)
})

test('signedimp/runtime exports the manager for pages, and what fetches checked', async () => {
  assert.equal(await names('signedimp/runtime'), [
    'SignedImportManager',
    'signedFetch',
    'signedURL',
  ])
})

test('signedimp/node exports the hooks for programs, and the error that they throw', async () => {
  assert.equal(await names('signedimp/node'), ['SignedImpError', 'SignedImportManager', 'register'])
})

test('signedimp/errors exports the error, the same as signedimp', async () => {
  assert.equal(await names('signedimp/errors'), ['SignedImpError'])
  const [{ SignedImpError: one }, { SignedImpError: other }] = await Promise.all([
    import('signedimp'),
    import('signedimp/errors'),
  ])
  assert.is(one, other)
})

test('nothing else can be imported', async () => {
  for (const inside of ['dist/index.js', 'src/index.ts', 'crypto', 'keys/private', 'dist/cli.js'])
    try {
      await import(`signedimp/${inside}`)
      assert.unreachable(inside)
    } catch (error) {
      assert.is((error as { code: string }).code, 'ERR_PACKAGE_PATH_NOT_EXPORTED', inside)
    }
})

test('every entry point has declarations, which lead to no package', () => {
  for (const [, { types }] of entries) {
    const text = readFileSync(join(root, types), 'utf8')
    assert.not.match(text, /from ['"](?!\.|node:)/, types)
  }
})

test('every bin exists and is run by Node', () => {
  for (const file of Object.values(bin))
    assert.match(readFileSync(join(root, file), 'utf8'), /^#!\/usr\/bin\/env node\n/)
})

test('what is built imports only declared dependencies', () => {
  for (const [, target] of entries) {
    const text = readFileSync(join(root, target.default), 'utf8')
    const packages = [...text.matchAll(/\bfrom ['"]([^'"./][^'"]*)['"]/g)].map(([, name]) => name!)
    assert.equal(
      packages.filter((name) => !name.startsWith('node:') && !(name in dependencies)),
      [],
    )
  }
})

test('no file of an earlier build is left in dist', () => {
  const reached = new Set([...entries.map(([, target]) => target.default), ...Object.values(bin)])
  for (const file of reached)
    for (const [, name] of readFileSync(join(root, file), 'utf8').matchAll(
      /['"](\.\/[\w-]+\.js)['"]/g,
    ))
      reached.add(`./${posix.join('dist', name!)}`)
  const scripts = readdirSync(join(root, 'dist')).filter((name) => name.endsWith('.js'))
  assert.equal(
    scripts.filter((name) => !reached.has(`./dist/${name}`)),
    [],
  )
})

test('the package holds what it needs and nothing else', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [{ files }] = JSON.parse(output) as [{ files: { path: string }[] }]
  const paths = files.map(({ path }) => path)
  const targets = [...entries.flatMap(([, target]) => Object.values(target)), ...Object.values(bin)]
  for (const target of targets) assert.ok(paths.includes(target.slice(2)), target)
  assert.ok(
    paths.includes('dist/bootstrap/page.js') && paths.includes('dist/bootstrap/page-der.js'),
  )
  const allowed =
    /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/.+\.(js|d\.ts)|dist\/bootstrap\/.+\.cjs)$/
  assert.equal(
    paths.filter((path) => !allowed.test(path)),
    [],
  )
  for (const path of paths) assert.ok(existsSync(join(root, path)))
})

test.run()
