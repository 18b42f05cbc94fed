import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { init, parse } from 'es-module-lexer'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SignedImpError } from '../../src/errors.ts'
import { createModuleBootstrap } from '../../src/emit/bootstrap.ts'
import { publicKeyPem, toTrustedKey } from '../../src/keys/public.ts'
import { mainOf, type Entry } from '../../src/manifest/linking.ts'
import { kinds, madeKey } from '../keys/made.ts'
import { mistaken, refused } from '../keys/refusals.ts'
import { root } from '../support/files.ts'
import { throwsCode } from '../support/throws.ts'

// The manager without a page: what it says to those who call it wrongly. What it does is in test/browser/.

// As it is published: what pages are made of is put together by the build.
const { SignedImportManager } = (await import(
  '../../dist/runtime.js' as string
)) as typeof import('../../src/runtime.ts')

const ed = toTrustedKey(await madeKey('ed25519'))
const rsa = toTrustedKey(await madeKey('rsa-pss'))
const pem = publicKeyPem(ed)

const create = (options: unknown) => new SignedImportManager(options as object)

for (const [options, words] of [
  [
    { key: pem },
    /^"key" is no option; there are keys, threshold, name, onRefusal, remember, reportTo$/,
  ],
  [{ base: '/' }, /"base" is no option/],
  [null, /^"options" must be an object, got null$/],
  ['https://x.example/', /^"options" must be an object, got string$/],
  [{ keys: pem }, /^"keys" must be an array of public keys, got a text$/],
  [{ keys: { 0: pem } }, /^"keys" must be an array of public keys, got object$/],
  [{ keys: [undefined] }, /^"keys\[0\]" must be a public key, .*undefined$/],
  [{ keys: [pem, ''] }, /^"keys\[1\]" must be a public key, .*an empty text$/],
  [{ keys: [null] }, /null$/],
  [{ keys: [{ pem }] }, /object$/],
  [{ keys: [{ spki: 7, fingerprint: '' }] }, /object$/],
  [{ threshold: 0 }, /^"threshold" must be a whole number of at least 1, got 0$/],
  [{ threshold: '1' }, /"threshold"/],
  [{ threshold: 1.5 }, /"threshold"/],
  [{ name: '' }, /^"name" must be NFC text/],
  [{ name: 'a\nb' }, /"name"/],
  [{ name: 7 }, /"name".*got 7/],
  [{ remember: 'yes' }, /^"remember" must be true, false or 'if-possible', got "yes"$/],
  [{ reportTo: '' }, /^"reportTo" must be an https: URL or a path/],
  [{ reportTo: 'http://x.example/' }, /"reportTo"/],
  [{ reportTo: '//x.example/' }, /"reportTo"/],
  [{ reportTo: 'https://a:b@x.example/' }, /"reportTo"/],
  [{ reportTo: 7 }, /"reportTo".*got 7/],
] as [unknown, RegExp][])
  test(`options ${JSON.stringify(options)?.slice(0, 40)} are a mistake`, () =>
    mistaken(() => create(options), words))

test('what all objects have is no option', () => {
  const shared = Object.prototype as unknown as Record<string, unknown>
  shared.threshold = 0
  try {
    create({})
  } finally {
    delete shared.threshold
  }
})

const wrongKeys: [what: string, key: unknown, words: RegExp][] = [
  ['text', 'release.pem.pub', /^ERR_SIGNEDIMP_KEY "keys\[0\]" holds neither/],
  ['a URL', 'https://x.example/release.pub', /holds neither/],
  ['base64 that is not canonical', ed.spki.replace(/=*$/, ''), /holds neither/],
  [
    'a key in base64 that is cut',
    Buffer.from(ed.spki, 'base64').subarray(1).toString('base64'),
    /not in DER/,
  ],
  [
    'a certificate',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    /CERTIFICATE/,
  ],
  ['a key that is cut short', pem.slice(0, 60), /damaged/],
  ['two keys', pem + publicKeyPem(rsa), /must hold one PUBLIC KEY/],
  ['a key on one line', pem.replaceAll('\n', ' '), /line breaks/],
  ['a weak key', publicKeyPem(toTrusted(1024)), /1024 bits/],
  ['a scheme of another kind', { ...ed, scheme: 'pss-sha256' }, /not its own/],
  ['a scheme that is none', { ...ed, scheme: 'constructor' }, /not its own/],
  ['no fingerprint', { ...ed, fingerprint: undefined }, /not its own/],
]

function toTrusted(modulusLength: number) {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength })
  const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  return { ...rsa, spki }
}

for (const [what, key, words] of wrongKeys)
  test(`a key that is ${what} is refused`, () =>
    refused('ERR_SIGNEDIMP_KEY', async () => create({ keys: [key] }), words))

test('a private key is refused, and not shown', async () => {
  const key = await madeKey('ed25519')
  const secret = String(key.export({ type: 'pkcs8', format: 'pem' }))
  const line = secret.split('\n')[1]!
  await refused('ERR_SIGNEDIMP_KEY', async () => create({ keys: [secret] }), 'private key', line)
  await refused(
    'ERR_SIGNEDIMP_KEY',
    async () => new SignedImportManager().addKey(line),
    /^ERR_SIGNEDIMP_KEY "key" /,
    line,
  )
  await mistaken(() => create({ keys: secret }), /"keys" must be an array/, line)
})

for (const kind of kinds)
  test(`a ${kind} key is taken as PEM, base64 and a trusted key`, async () => {
    const key = toTrustedKey(await madeKey(kind))
    create({ keys: [publicKeyPem(key), key.spki, key, publicKeyPem(key).replaceAll('\n', '\\n')] })
  })

test('nothing works before it is installed', async () => {
  const manager = create({ keys: [pem], name: 'app' })
  await mistaken(() => manager.addRoot('https://x.example/'), /install\(\) this manager first/)
  const said = await outcome(manager.import('https://x.example/a.js'))
  assert.is(said, 'ERR_SIGNEDIMP_UNLISTED')
})

const outcome = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    ({ code, name }: SignedImpError) => code ?? name,
  )

// What a page has and Node lacks, as far as it is needed to come to the point.
Object.assign(globalThis, { dispatchEvent: () => true })
const manager = create({ keys: [pem] }).install()

for (const [base, options, words] of [
  ['https://x.example/', {}, /^"name" must be given, for the root or for the manager$/],
  ['https://x.example/', { name: 'a', keys: [] }, /^"keys" must hold a key/],
  [
    'https://x.example/',
    { name: 'a', threshold: 2 },
    /^"threshold" must be .* from 1 to 1, .*got 2$/,
  ],
  ['https://x.example/', { name: 'a', keys: [pem, ed], threshold: 2 }, /from 1 to 1/],
  ['https://x.example/', { name: 'a', build: -1 }, /^"build" must be a whole number/],
  ['https://x.example/', { name: 'a', build: '7' }, /"build".*"7"/],
  ['https://x.example/', { name: 'a', manifest: 'a/b.txt' }, /^"manifest" must be a file name/],
  ['https://x.example/', { name: 'a', manifest: '../b.txt' }, /"manifest"/],
  [
    'https://x.example/',
    { name: 'a', expires: 1 },
    /"expires" is no option; there are keys, threshold, name, build, manifest/,
  ],
  ['https://x.example/?x', { name: 'a' }, /"base" must be a URL without a query/],
] as [string, object, RegExp][])
  test(`a root at ${base} with ${JSON.stringify(options).slice(0, 50)} is a mistake`, () =>
    mistaken(() => manager.addRoot(base, options), words))

test('of two roots that share URLs the second one is refused, also while the first is being checked', async () => {
  const first = outcome(manager.addRoot('https://x.example/app/', { name: 'a' }))
  await mistaken(
    () => manager.addRoot('https://x.example/APP/plugins', { name: 'b' }),
    /^"base" https:\/\/x\.example\/APP\/plugins\/ shares URLs with https:\/\/x\.example\/app\/$/,
  )
  assert.is(await first, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE', 'there is no page here')
  // What was not added is in nobody's way.
  assert.is(
    await outcome(manager.addRoot('https://x.example/', { name: 'a' })),
    'ERR_SIGNEDIMP_NOT_ENFORCEABLE',
  )
})

test('a root shares no URLs with the signed app of the page', async () => {
  const own = (url: unknown) =>
    Object.defineProperty(globalThis, '__signedimp', { configurable: true, value: { url } })
  own('https://x.example/shop/signedimp-manifest.0123456789abcdef.txt')
  await mistaken(() => manager.addRoot('https://x.example/shop/a/', { name: 'a' }), /shares URLs/)
  await mistaken(() => manager.addRoot('https://x.example', { name: 'a' }), /shares URLs/)
  own(undefined)
  assert.is(
    await outcome(manager.addRoot('https://x.example/a/', { name: 'a' })),
    'ERR_SIGNEDIMP_NOT_ENFORCEABLE',
  )
  Reflect.deleteProperty(globalThis, '__signedimp')
})

test('there is one manager, and others use it without trusting anybody more', async () => {
  assert.is(manager.install(), manager)
  await throwsCode(() => create({}).install(), 'ERR_SIGNEDIMP_NOT_ENFORCEABLE')
  const name = '__signedimpManager'
  const { value, writable, configurable } = Object.getOwnPropertyDescriptor(globalThis, name)!
  assert.equal([writable, configurable, Object.isFrozen(value)], [false, false, true])
  assert.equal(Object.keys(value), ['import', 'fetch', 'verify'])
})

for (const [url, words] of [
  [undefined, /^"url" must be a URL, got undefined$/],
  ['a.js', /^"url" must be a URL, got string$/],
  [{ href: 'https://x.example/' }, /got object$/],
] as [unknown, RegExp][])
  test(`importing ${JSON.stringify(url)} is a mistake`, () =>
    mistaken(() => manager.import(url as string), words))

test('bytes are bytes', async () => {
  for (const bytes of [
    'text',
    [1],
    new Blob(['x']),
    new Uint8Array(new SharedArrayBuffer(1)).buffer,
  ])
    await mistaken(
      () => manager.verify('https://x.example/a.js', bytes as never),
      /^"bytes" must be an ArrayBuffer or a view of one/,
    )
})

test('no import() of the package stands where a build of the page would make it its own', async () => {
  await init()
  for (const file of ['runtime.js', ...chunksOf('runtime.js')]) {
    const text = readFileSync(join(root, 'dist', file), 'utf8')
    const found = parse(text)[0].filter(({ type }) => type === 'dynamic' || type === 'import-meta')
    assert.equal(found, [], file)
    assert.not.match(text, /from ['"]node:|__DER__|__MODULE__|\brequire\(/)
  }
})

const chunksOf = (file: string): string[] =>
  [
    ...readFileSync(join(root, 'dist', file), 'utf8').matchAll(/from ['"]\.\/([\w-]+\.js)['"]/g),
  ].map(([, name]) => name!)

test('the file of an entry says what its main chunk is, to nobody but under its own name', () => {
  const module = readFileSync(join(root, 'dist/bootstrap/module.js'), 'utf8')
  const page = { module, bootstrap: '', runtime: '', late: '', blob: '' }
  const entry = {
    path: 'a "ü/main.js',
    base: '',
    name: 'it\'s, main:"x.js",',
    build: 7,
    manifest: 'signedimp-manifest.0123456789abcdef.txt',
    main: 'a "ü/mai_.js',
    blob: 'b.js',
    preload: [],
  }
  const { build: _, ...without } = entry
  const release = { page, keys: [ed], threshold: 1 } as never
  // The order of members is that of src/emit/start.ts; test/browser/manager.test.ts has real ones.
  const { path, base, name, ...rest } = without
  for (const one of [
    { path, base, name, ...rest },
    { path, base, name, build: 7, ...rest },
  ]) {
    const code = createModuleBootstrap(release, one as Entry, ['default'])
    assert.is(mainOf(entry.path, code), entry.main)
    assert.is(mainOf('main.js', code), undefined)
  }
  assert.is(mainOf('main.js', 'export const a = {path:"main.js"}'), undefined)
})

test.run()
