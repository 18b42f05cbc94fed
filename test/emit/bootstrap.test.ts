import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createModuleBootstrap, readModuleBootstrap } from '../../src/emit/bootstrap.ts'
import type { Release } from '../../src/emit/release.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import type { Entry } from '../../src/manifest/linking.ts'
import { root } from '../support/files.ts'

// What is written into the file of an entry can be read again, whatever stands in it.

const built = join(root, 'dist/bootstrap')
const source = (file: string) => readFileSync(join(built, file), 'utf8')
const pageOf = (module: string) => ({
  bootstrap: '',
  runtime: '',
  late: '',
  blob: '',
  tags: '',
  workers: '',
  fetch: '__SIGNEDIMP_GUARDED__',
  pure: false,
  module: source(module),
})

const plain: Entry = {
  path: 'assets/main.js',
  base: '',
  name: 'shop',
  build: 7,
  manifest: 'signedimp-manifest.0123456789abcdef.txt',
  main: 'assets/mai_.js',
  blob: 'signedimp-blob-0123456789abcdef.js',
  preload: [],
}

const odd = [
  'a"b',
  '"path":"x"',
  '",path:"x',
  'a:b,c:{d}',
  '}',
  '{"a":1},R=2',
  '},R={keys:[]},S=async()=>(',
  'café 中 \u{1f600}',
  '__SIGNEDIMP_PINNED__',
  '__SIGNEDIMP_ENTRY__',
  '$& $1 $`',
  "it's",
  '__proto__',
]

const entries: [string, Entry][] = [
  ['a plain one', plain],
  [
    'one with preloads',
    {
      ...plain,
      late: 'l.js',
      preload: [
        ['a.js', 'sha256-x'],
        ['b"},R={.js', 'sha256-y'],
      ],
    },
  ],
  ...odd.map((name): [string, Entry] => [
    `odd names: ${name}`,
    { ...plain, path: `${name}.js`, main: `${name}/_.js`, name, base: `https://a/${name}/` },
  ]),
]

for (const [algorithm, module] of [
  ['ed25519', 'module.js'],
  ['ecdsa-p256', 'module-der.js'],
] as const)
  test(`${module}: what an entry says is read as it was written`, async () => {
    const keys = [
      toTrustedKey(await generateKey(algorithm)),
      toTrustedKey(await generateKey('ed25519')),
    ]
    const page = pageOf(module)
    const release = { page, keys, threshold: 2 } as unknown as Release
    for (const [what, entry] of entries)
      for (const exports of [[], ['default', 'a text "{', 'R']]) {
        const code = createModuleBootstrap(release, entry, exports)
        assert.equal(
          readModuleBootstrap(page, code),
          { entry, pinned: { keys, threshold: 2 } },
          what,
        )
      }
  })

test('what is not written so is nothing', async () => {
  const keys = [toTrustedKey(await generateKey('ed25519'))]
  const page = pageOf('module.js')
  const code = createModuleBootstrap({ page, keys, threshold: 1 } as unknown as Release, plain, [])
  assert.ok(readModuleBootstrap(page, code))
  for (const other of [
    '',
    'export{}',
    ` ${code}`,
    `\ufeff${code}`,
    `//${code}`,
    page.module,
    code.replace('async', 'Async'),
    code.replace('isSecureContext', '1||isSecureContext'),
    code.slice(0, -200),
  ])
    assert.is(readModuleBootstrap(page, other), undefined)
  assert.is(readModuleBootstrap(pageOf('module-der.js'), code), undefined)
})

test.run()
