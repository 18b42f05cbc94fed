import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { brotliCompressSync } from 'node:zlib'
import {
  createBootstrap,
  createGuards,
  createModuleBootstrap,
  type PageCode,
} from '../src/emit/bootstrap.ts'
import type { Release } from '../src/emit/release.ts'
import { generateKey, type KeyAlgorithm } from '../src/keys/generate.ts'
import { toTrustedKey } from '../src/keys/public.ts'
import { signedimp } from './cli/run.ts'
import { root } from './support/files.ts'
import {
  anchorsOf,
  blocksOf,
  codesOf,
  linksOf,
  readDocument,
  rowsOf,
  sectionOf,
} from './support/markdown.ts'
import {
  copyApp,
  createApp,
  lazy,
  quickStart,
  readme,
  runScript,
  shapeOf,
  succeed,
} from './support/readme-app.ts'
import { skip } from './support/skip.ts'

const source = (path: string) => readFileSync(join(root, path), 'utf8')
const documents = [
  'README.md',
  'CHANGELOG.md',
  '.github/CONTRIBUTING.md',
  '.github/SECURITY.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
  'playground/README.md',
]

const refusals = readDocument('docs/refusals.md')

test('the map in the README has every document', () => {
  const targets = linksOf(sectionOf(readme, 'Documents')).map((target) => target.split('#')[0]!)
  for (const path of documents) if (path !== 'README.md') assert.ok(targets.includes(path), path)
})

// Sizes.

const claimed = (words: RegExp): number => Number(words.exec(readme)![1]!.replace(',', ''))

const sizeOf = (code: string): number => brotliCompressSync(code).length

/** A claim is true when it is no less than what is measured, and not stale when it is little more. */
function checkSize(claim: number, size: number): void {
  assert.ok(size <= claim, `${size} bytes, and the README says at most ${claim}`)
  assert.ok(size > claim * 0.9, `${size} bytes, far below the ${claim} that the README says`)
}

const readPage = (file: string): PageCode => ({
  bootstrap: source(`dist/bootstrap/${file}`),
  runtime: source('dist/bootstrap/runtime.js'),
  module: source(`dist/bootstrap/${file.replace('page', 'module')}`),
  late: source('dist/bootstrap/late.js'),
  blob: source('dist/bootstrap/blob.js'),
  tags: source('dist/bootstrap/tags.js'),
  workers: source('dist/bootstrap/workers.js'),
  fetch: source('dist/bootstrap/fetch.js'),
  pure: file.includes('pure'),
})

const bootstraps: [KeyAlgorithm, string, RegExp][] = [
  ['rsa-pss', 'page.js', /at most ([\d,]+) bytes with an RSA key/],
  ['ecdsa-p256', 'page-der.js', /([\d,]+) with ECDSA/],
  ['ed25519', 'page.js', /([\d,]+) with Ed25519/],
]

for (const [algorithm, file, words] of bootstraps)
  test(`the bootstrap with a key of ${algorithm} is as large as the README says`, async () => {
    const key = toTrustedKey(await generateKey(algorithm))
    checkSize(claimed(words), sizeOf(createBootstrap(readPage(file), [key], 1).code))
  })

test('bootstraps for plain http are larger by what the README says', () => {
  const claim = claimed(/\(option\s+`pure`\)\s+the\s+bootstraps\s+have\s+([\d,]+)\s+bytes\s+more/)
  for (const form of ['bootstrap', 'module'] as const)
    checkSize(claim, sizeOf(readPage('page-pure.js')[form]) - sizeOf(readPage('page.js')[form]))
})

test('bootstraps that remember builds are larger by no more than the README says', () => {
  const claim = claimed(/\(option\s+`remember`\)\s+they\s+have\s+up\s+to\s+([\d,]+)\s+bytes\s+more/)
  const grown = ['page', 'page-der', 'page-pure', 'module', 'module-der', 'module-pure'].map(
    (name) =>
      sizeOf(source(`dist/bootstrap/${name}-remember.js`)) -
      sizeOf(source(`dist/bootstrap/${name}.js`)),
  )
  checkSize(claim, Math.max(...grown))
})

test('the runtime is as large as the README says', () => {
  const { runtime } = createBootstrap(readPage('page.js'), [], 1)
  checkSize(claimed(/the runtime,\s+of\s+at\s+most\s+([\d,]+)\s+bytes/), sizeOf(runtime.code))
})

test('what guards workers is as large as the README says', () => {
  const plan = { reach: {}, named: {}, unverified: [], guarded: '', first: false }
  const [guard] = createGuards(readPage('page.js'), plan).pages
  checkSize(claimed(/one\s+more\s+of\s+at\s+most\s+([\d,]+)\s+bytes\s+guards/), sizeOf(guard!.code))
})

test('the file of an entry, and what it loads, is as large as the README says', async () => {
  const page = readPage('page.js')
  const keys = [toTrustedKey(await generateKey('rsa-pss'))]
  const { late, blob } = createBootstrap(page, keys, 1)
  const code = createModuleBootstrap(
    { page, keys, threshold: 1 } as unknown as Release,
    {
      path: 'assets/main-DHWhs_t9.js',
      base: 'https://cdn.example/shop/',
      name: 'shop',
      build: 1782345678,
      manifest: 'signedimp-manifest.0123456789abcdef.txt',
      main: 'assets/main-DHWhs_t_.js',
      late: late.fileName,
      blob: blob.fileName,
      preload: [late.fileName, 'assets/main-DHWhs_t_.js', 'assets/vendor-C9zKp4aQ.js'].map(
        (path) => [path, `sha256-${Buffer.alloc(32, path).toString('base64')}`],
      ),
    },
    ['default'],
  )
  const [, words] = /Entries without HTML,([^]*?)\n- /.exec(readme)!
  const [file, more] = [...words!.matchAll(/at most ([\d,]+) bytes/g)].map(([, claim]) =>
    Number(claim!.replace(',', '')),
  )
  checkSize(file!, sizeOf(code))
  checkSize(more!, Math.max(sizeOf(late.code), sizeOf(blob.code)))
})

// What it needs.

const { dependencies, devDependencies, peerDependencies, engines, scripts } = JSON.parse(
  source('package.json'),
)

test('the README counts the dependencies', () => {
  const locked: Record<string, { dev?: boolean }> = JSON.parse(source('package-lock.json')).packages
  const all = Object.entries(locked).filter(([path, { dev }]) => path !== '' && !dev)
  const counts = /\*\*Dependencies\.\*\* (\d+) when building, (\d+) with theirs/.exec(readme)!
  assert.equal(counts.slice(1).map(Number), [Object.keys(dependencies).length, all.length])
})

test('the README names the versions of esbuild that are tested, which are those that are accepted', () => {
  const [, esbuild, last] = /esbuild ([\d., ]+) and ([\d.]+)\. Builds/.exec(readme)!
  const told = [...esbuild!.split(', '), last!]
  const tested = Object.entries<string>(devDependencies)
    .filter(([name]) => /^esbuild\d*$/.test(name))
    .map(([, version]) => /\^(\d+\.\d+)/.exec(version)![1]!)
  assert.equal(told, tested.sort())
  assert.is(peerDependencies.esbuild, told.map((version) => `^${version}.0`).join(' || '))
})

test('the README names the versions of Vite that are tested, and of Node that are accepted', () => {
  const [, vite, last, node] = /Vite ([\d, ]+) and (\d+), on Node ([\d.]+) or newer/.exec(readme)!
  const tested = Object.entries<string>(devDependencies)
    .filter(([name]) => /^vite\d?$/.test(name))
    .map(([, version]) => /\^(\d+)/.exec(version)![1]!)
  assert.equal([...vite!.split(', '), last!], tested.sort())
  assert.is(`>=${node}`, engines.node)
})

// Tables.

test('the table of options is what the plugin takes, with its defaults', () => {
  const [, body] = /interface SignedImpOptions \{([^]*?)\n\}/.exec(source('src/plugin/options.ts'))!
  const options = [...body!.matchAll(/@default (.+) \*\/\n {2}(\w+)\?:/g)]
  const rows = rowsOf(sectionOf(readme, 'Options'))
  assert.is(options.length, body!.match(/^ {2}\w+\?:/gm)!.length)
  assert.equal(
    rows.map(([name, value]) => [name, value!.replaceAll('`', '')]),
    options.map(([, value, name]) => [`\`${name}\``, value]),
  )
})

test('the table of codes has every code, once', () => {
  const codes = [...source('src/errors.ts').matchAll(/^ {2}\| '(\w+)'$/gm)].map(([, code]) => code!)
  const rows = rowsOf(sectionOf(refusals, 'Error codes'))
  assert.ok(codes.length > 20)
  assert.equal(
    rows.map(([code]) => code),
    codes.map((code) => `\`${code}\``),
  )
  assert.ok(rows.every((cells) => cells.length === 3 && cells.every(Boolean)))
})

test('no document names a code that there is not', () => {
  const codes = source('src/errors.ts')
  for (const path of documents)
    for (const [code] of readDocument(path).matchAll(/ERR_SIGNEDIMP_\w+/g))
      assert.ok(codes.includes(`'${code}'`), `${path}: ${code}`)
})

test('the README shows a policy of the document on policies', () => {
  const [shown] = blocksOf(sectionOf(readme, 'Content-Security-Policy'), 'text')
  const policies = sectionOf(readDocument('docs/csp.md'), 'Policies that work')
  assert.ok(blocksOf(policies, 'text').includes(shown!))
})

test('what cannot be enforced is told in the words of the page', () => {
  const files = readdirSync(join(root, 'src/page'), { recursive: true, encoding: 'utf8' })
  const page = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => source(`src/page/${file}`))
  const thrown = [...page.join('').matchAll(/notEnforceable\(\s*'([^';]+)/g)]
  const rows = rowsOf(sectionOf(refusals, 'Not enforceable'))
  const told = rows.flatMap(([message]) => /^`(.+)`$/.exec(message!)?.[1] ?? [])
  assert.ok(thrown.length > 3)
  assert.equal([...new Set(told)].sort(), [...new Set(thrown.map(([, message]) => message))].sort())
})

// The command line.

const flagsOf = (text: string): string[] => [...new Set(text.match(/--[a-z][a-z-]+/g))].sort()

for (const [usage, , options] of rowsOf(sectionOf(readme, 'Command line'))) {
  const command = /^`signedimp ([a-z]+(?: [a-z]+)?)/.exec(usage!)![1]!
  test(`the README has the flags of signedimp ${command}`, () => {
    const { status, stdout } = signedimp([...command.split(' '), '--help'], { cwd: root })
    assert.is(status, 0)
    assert.equal(flagsOf(options!), flagsOf(stdout))
  })

  test(`the documents give signedimp ${command} no other flags`, () => {
    const { stdout } = signedimp([...command.split(' '), '--help'], { cwd: root })
    for (const path of documents)
      for (const [line] of readDocument(path).matchAll(new RegExp(`signedimp ${command} .*`, 'g')))
        for (const flag of flagsOf(line.split('`')[0]!))
          assert.ok(flagsOf(stdout).includes(flag), `${path}: ${flag}`)
  })
}

test('the README has every command', () => {
  const { stdout } = signedimp(['--help'], { cwd: root })
  const commands = /USAGE signedimp (.+)/.exec(stdout)![1]!.split('|')
  const rows = rowsOf(sectionOf(readme, 'Command line'))
  assert.equal(
    rows.map(([usage]) => /^`signedimp ([a-z]+(?: [a-z]+)?)/.exec(usage!)![1]),
    commands,
  )
})

test('every npm script that a document names is there', () => {
  for (const path of documents)
    for (const [, name] of readDocument(path).matchAll(/npm run ([\w:]+)/g))
      assert.ok(name! in scripts, `${path}: ${name}`)
})

// Links and paths.

test('every link inside the checkout leads somewhere', () => {
  const broken = documents.flatMap((path) =>
    linksOf(readDocument(path))
      .filter((target) => !target.startsWith('https:'))
      .filter((target) => !leads(path, target))
      .map((target) => `${path}: ${target}`),
  )
  assert.equal(broken, [])
})

function leads(from: string, target: string): boolean {
  const [path, anchor] = target.split('#') as [string, string?]
  const file = path === '' ? from : join(dirname(from), path)
  if (!existsSync(join(root, file))) return false
  return anchor === undefined || anchorsOf(readDocument(file)).includes(anchor)
}

test('every folder and file that CONTRIBUTING.md names is there', () => {
  const codes = codesOf(readDocument('.github/CONTRIBUTING.md'))
  const paths = codes.filter((code) => /^(src|test|playground)\/[\w./-]*$/.test(code))
  assert.ok(paths.length > 10)
  assert.equal(
    paths.filter((path) => !existsSync(join(root, path))),
    [],
  )
})

// What it says to do, done.

/** The README's app, built once; not in a hook, whose errors uvu does not print. */
const build = lazy(async () => {
  const folder = await createApp()
  return { folder, printed: succeed('vite build', folder) }
})

test('a build as in the README prints what the README shows', async () => {
  const { printed } = await build()
  assert.is(shapeOf(printed.slice(printed.indexOf('signedimp: '))), shapeOf(quickStart.printed))
})

test('a build with esbuild as in the README prints what the README shows', async () => {
  const folder = copyApp((await build()).folder)
  rmSync(join(folder, 'dist'), { recursive: true })
  const { status, stderr } = runScript('node build.js', folder)
  assert.is(status, 0, stderr)
  const lines = shapeOf(stderr.slice(stderr.indexOf('signedimp: '))).split('\n')
  // As docs/esbuild.md says of stylesheets.
  const unlinked = lines.filter((line) => line.includes('stylesheet that no page or chunk links'))
  assert.is(unlinked.length, 1)
  assert.is(lines.filter((line) => line !== unlinked[0]).join('\n'), shapeOf(quickStart.printed))
})

test('a second signature is added as in the document on keys', async () => {
  const section = sectionOf(readDocument('docs/keys.md'), 'Several keys')
  const [call] = blocksOf(section, 'js')
  const [script] = blocksOf(section, 'sh')
  const app = await createApp(quickStart.config.replace("signedImp('release.pem')", call!.trim()))
  const built = succeed('signedimp keygen second.pem --algorithm ed25519\nvite build', app)
  assert.match(built, 'pages need 2 signatures')
  const [, verify] = script!.trim().split('\n')
  assert.is(runScript(verify!, app).status, 1)
  succeed(script!, app)
})

test('a folder is signed and verified from a program as in the README', async () => {
  const app = copyApp((await build()).folder)
  const [program] = blocksOf(sectionOf(readme, 'Command line'), 'js')
  writeFileSync(join(app, 'program.js'), program!)
  succeed('node program.js', app)
  writeFileSync(join(app, 'dist/extra.txt'), 'extra')
  const verifyOnly = program!.replace(/^await signDirectory.*$/m, '')
  writeFileSync(join(app, 'program.js'), verifyOnly)
  assert.match(runScript('node program.js', app).stderr, 'ERR_SIGNEDIMP_FILES')
})

test('the exit status of verify is what the README says', async () => {
  const app = copyApp((await build()).folder)
  const [verify] = codesOf(sectionOf(readme, 'Deploying')).filter((code) => code.startsWith('npx '))
  assert.is(runScript(verify!, app).status, 0)
  assert.is(runScript(verify!.replace('shop', 'another'), app).status, 1)
  assert.is(runScript(verify!.replace('.pub', '.none'), app).status, 2)
})

const missing = ['openssl', 'sha256sum'].filter((tool) => spawnSync(tool, ['--version']).error)
const section = sectionOf(
  readDocument('docs/manifest-format.md'),
  'Checking a signature with openssl alone',
)
const [split, rsa, ecdsa, ed25519, files] = blocksOf(section, 'sh')

/** The output of a build with the signature of another key added, whose public half is `release.pem.pub`. */
async function signedBy(algorithm: KeyAlgorithm): Promise<string> {
  const app = copyApp((await build()).folder)
  succeed(
    `signedimp keygen other.pem --algorithm ${algorithm}\nsignedimp sign dist --key other.pem`,
    app,
  )
  copyFileSync(join(app, 'other.pem.pub'), join(app, 'dist/release.pem.pub'))
  return join(app, 'dist')
}

if (missing.length)
  skip(test, 'the commands for openssl verify a build', `${missing.join()} is not installed`)
else
  for (const [algorithm, check] of [
    ['rsa-pss', rsa],
    ['ecdsa-p256', ecdsa],
    ['ed25519', ed25519],
  ] as const)
    test(`the commands for openssl verify a build that a key of ${algorithm} signed`, async () => {
      const dist = await signedBy(algorithm)
      const script = `${split}\n${check}`
      assert.match(succeed(script, dist), /^(Verified OK|Signature Verified Successfully)$/m)
      assert.is(succeed(files!, dist), '')
      const manifest = join(dist, 'signedimp-manifest.txt')
      const changed = readFileSync(manifest, 'utf8').replace('# name: shop', '# name: shoq')
      writeFileSync(manifest, changed)
      assert.is.not(runScript(script, dist).status, 0)
    })

test.run()
