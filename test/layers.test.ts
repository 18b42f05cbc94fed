import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { init, parse } from 'es-module-lexer'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createBootstrap } from '../src/emit/bootstrap.ts'
import { generateKey, type KeyAlgorithm } from '../src/keys/generate.ts'
import { toTrustedKey } from '../src/keys/public.ts'

interface Layer {
  /** Folders of src that it may import, besides itself and errors.ts. Everything points upwards. */
  folders: string[]
  packages: RegExp
  /** Files of allowed folders that it may not import all the same. */
  not?: RegExp
}

const tools = ['crypto', 'manifest']
const all = [...tools, 'emit', 'keys', 'tree']
const layers: Record<string, Layer> = {
  crypto: { folders: [], packages: /^$/ },
  manifest: { folders: ['crypto'], packages: /^$/, not: /^crypto\/node\./ },
  page: { folders: tools, packages: /^$/, not: /^(crypto\/node|manifest\/sign)\./ },
  emit: { folders: tools, packages: /^(es-module-lexer|magic-string|parse5|node:.+)$/ },
  keys: { folders: tools, packages: /^node:/ },
  tree: { folders: tools, packages: /^node:/ },
  hooks: { folders: tools, packages: /^node:/, not: /^manifest\/sign\./ },
  plugin: { folders: all, packages: /^node:/ },
  seal: { folders: [...all, 'plugin'], packages: /^(es-module-lexer|magic-string|node:.+)$/ },
  python: { folders: [...tools, 'keys', 'tree'], packages: /^node:/ },
  graph: { folders: [...tools, 'emit', 'tree', 'seal'], packages: /^node:/ },
  export: { folders: [...tools, 'tree'], packages: /^node:/ },
  commands: {
    folders: [...all, 'plugin', 'seal', 'python', 'graph', 'export'],
    packages: /^(citty|picocolors|node:.+)$/,
  },
}

// Files that may do more than their folder: the tools' side of the seam, and the one for pages without cryptography.
const exceptions: Record<string, RegExp> = {
  'crypto/node.ts': /^node:(crypto|fs)$/,
  'crypto/pure.ts': /^@noble\/hashes\/sha2\.js$/,
  'keys/pkcs12.ts': /^node-forge$/,
}

const root = resolve(import.meta.dirname, '..')
const src = join(root, 'src')
const importPatterns = [
  /\bimport\s+(?:[\w*{][^'"`=()]*?\bfrom\s+)?['"]([^'"]+)['"]/g,
  /\bexport\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+['"]([^'"]+)['"]/g,
  /\bimport\s*\(\s*['"`]([^'"`]+)['"`]/g,
]

const specifiersIn = (text: string): string[] =>
  importPatterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, found]) => found!))

/** What a file imports: a path below src, or a package. */
function importsOf(file: string): { specifier: string; path: string | undefined }[] {
  const text = readFileSync(join(src, file), 'utf8').replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '')
  return specifiersIn(text).map((specifier) => {
    const path = relative(src, resolve(src, dirname(file), specifier)).replaceAll('\\', '/')
    return { specifier, path: specifier.startsWith('.') ? path : undefined }
  })
}

const sourcesIn = (folder: string): string[] =>
  readdirSync(join(src, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)

function isAllowed(file: string, layer: Layer, specifier: string, path?: string): boolean {
  if (path === undefined) return (exceptions[file] ?? layer.packages).test(specifier)
  if (/^errors\.[jt]s$/.test(path)) return true
  const folder = path.split('/')[0]!
  return [file.split('/')[0]!, ...layer.folders].includes(folder) && !layer.not?.test(path)
}

test('the patterns see every way to import', () => {
  const ways = [
    "import a from 'x'",
    "import type { A } from 'x'",
    "import { a,\n b } from 'x'",
    "import 'x'",
    "import a, { b } from 'x'",
    "import * as a from 'x'",
    "export { a } from 'x'",
    "export * as a from 'x'",
    "export * from 'x'",
    "export type { A } from 'x'",
    "const a = await import('x')",
    "type A = import('x').A",
  ]
  for (const way of ways) assert.equal(specifiersIn(way), ['x'], way)
})

for (const [folder, layer] of Object.entries(layers)) {
  test(`src/${folder} imports only ${['itself', 'errors', ...layer.folders].join(', ')}`, () => {
    const sources = sourcesIn(folder)
    assert.ok(sources.length > 0)
    const strays = sources.flatMap((file) =>
      importsOf(file)
        .filter(({ specifier, path }) => !isAllowed(file, layer, specifier, path))
        .map(({ specifier }) => `${file} -> ${specifier}`),
    )
    assert.equal(strays, [])
  })
}

test('errors.ts imports nothing', () => {
  assert.equal(importsOf('errors.ts'), [])
})

test('every folder of src has a layer, and every file directly in src is an entry point', () => {
  const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = [...Object.values(exports), ...Object.values(bin)]
    .map((target) =>
      typeof target === 'string' ? target : (target as { default: string }).default,
    )
    .map((target) => /^\.\/dist\/(.+)\.js$/.exec(target)?.[1])
    .filter((name) => name !== undefined)
  const found = readdirSync(src, { withFileTypes: true })
  const names = (kind: 'isFile' | 'isDirectory') =>
    found.filter((entry) => entry[kind]()).map(({ name }) => name.replace(/\.ts$/, ''))
  assert.equal(names('isFile').sort(), entries.sort())
  assert.equal(names('isDirectory').sort(), Object.keys(layers).sort())
})

// Only one function may say that a manifest is verified; everything that trusts takes its word.
test('only manifest/verify.ts makes a VerifiedManifest', () => {
  const casts = Object.keys(layers)
    .flatMap(sourcesIn)
    .filter((file) => /\bas VerifiedManifest\b/.test(readFileSync(join(src, file), 'utf8')))
  assert.equal(casts, ['manifest/verify.ts'])
})

const built = join(root, 'dist/bootstrap')
const inPages = readdirSync(built)
  .filter((file) => /^(page|report-only)/.test(file))
  .map((file) => ({ file, code: readFileSync(join(built, file), 'utf8') }))
const bootstraps = inPages.filter(({ file }) => file.startsWith('page'))
const [remembering, forgetful] = [true, false].map((wanted) =>
  bootstraps.filter(({ file }) => file.includes('remember') === wanted),
) as [typeof bootstraps, typeof bootstraps]

test('only the bootstrap for keys that sign in DER, and that for pages without https, hold more than the others', () => {
  assert.equal(forgetful.map(({ file }) => file).sort(), ['page-der.js', 'page-pure.js', 'page.js'])
  const [der, pure, page] = forgetful.map(({ code }) => code.length)
  assert.ok(page! < der! && der! < pure!)
})

test('of each bootstrap there is one that remembers builds, and no other has to do with storage', () => {
  const names = ({ file }: (typeof bootstraps)[number]) => file.replace('-remember', '')
  assert.equal(remembering.map(names).sort(), forgetful.map(names).sort())
  for (const { code } of remembering) assert.match(code, /\blocalStorage\b/)
  for (const { code } of forgetful) assert.not.match(code, /\blocalStorage\b/)
})

for (const { file, code } of inPages) {
  test(`${file} loads no code by a fixed name`, async () => {
    await init()
    const found = parse(code)[0].filter((item) => item.type !== 'import-meta')
    assert.equal(
      found.filter((item) => item.type !== 'dynamic' || item.specifier !== null),
      [],
    )
    assert.not.match(code, /\bimportScripts\b|\brequire\(/)
  })

  test(`${file} cannot sign`, () => {
    assert.not.match(code, /\bsign\b|generateKey|pkcs8|privateKey|PRIVATE/)
  })

  test(`${file} has one place for keys`, () => {
    assert.is(code.match(/__SIGNEDIMP_[A-Z]+__/g)?.length, 1)
  })

  test(`${file} can stand in HTML, in whatever charset it is read`, () => {
    assert.match(code, /^[\n -~]+$/)
    assert.not.match(code, /<\/script|<!--|<script|]]>/i)
  })

  test(`${file} holds no build-time name and no source map`, () => {
    assert.not.match(code, /__DER__|__PURE__|__REMEMBER__|sourceMappingURL|process\.env|node:/)
  })
}

const limits: [KeyAlgorithm, string, number][] = [
  ['rsa-pss', 'page.js', 3.92],
  ['ed25519', 'page.js', 3.52],
  ['rsa-pss', 'page-pure.js', 8.5],
  ['rsa-pss', 'page-remember.js', 4.3],
]

for (const [algorithm, file, kilobytes] of limits) {
  test(`${file} with one ${algorithm} key has at most ${kilobytes} KB in Brotli`, async () => {
    const key = toTrustedKey(await generateKey(algorithm))
    const bootstrap = bootstraps.find((one) => one.file === file)!.code
    const { code } = createBootstrap(
      {
        bootstrap,
        runtime: '',
        module: '',
        late: '',
        blob: '',
        tags: '',
        workers: '',
        fetch: '__SIGNEDIMP_GUARDED__',
        pure: false,
      },
      [key],
      1,
    )
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11 }
    const size = brotliCompressSync(code, { params }).length
    assert.ok(size <= kilobytes * 1024, `${size} bytes`)
  })
}

test.run()
