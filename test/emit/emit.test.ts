import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { root } from '../support/files.ts'
import { throwsCode } from '../support/throws.ts'
import { carrierOf, chunk, emit, entry, type Bundled } from './emitted.ts'

const html = '<!doctype html><script type="module" src="/assets/index.js"></script>'
const app: Bundled = {
  'index.html': html,
  'assets/index.js': entry('import "./b.js";import"./c.js"; import("./lazy.js")'),
  'assets/b.js': chunk('import "./c.js"'),
  'assets/c.js': chunk('export {}'),
  'assets/lazy.js': chunk('export {}'),
}
const hash = (bytes: Uint8Array | string, type = 'sha256') =>
  createHash(type).update(bytes).digest('hex')

test('the page manifest lists what pages load, with the hash of the bytes that are emitted', async () => {
  const { files, manifest } = await emit({
    ...app,
    'a.css': 'a{}',
    'a.bin': new Uint8Array([0, 255, 128, 10, 13]),
    'ü.json': '"ü"',
    'assets/index.js.map': '{}',
  })
  const listed = [...files.keys()].filter((path) => !/\.(html|map|txt)$/.test(path))
  assert.equal([...manifest.files.keys()].sort(), listed.sort())
  for (const [path, digest] of manifest.files) assert.is(digest, hash(files.get(path)!), path)
})

test('files that are no text stay byte for byte', async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, n) => n)
  const { files } = await emit({ ...app, 'a.bin': bytes, 'b.txt': '\ufeffü\r\n' })
  assert.equal([...files.get('a.bin')!], [...bytes])
  assert.equal(files.get('b.txt'), Buffer.from('\ufeffü\r\n'))
})

test('a page that is a Buffer is rewritten as one that is a text', async () => {
  const { text } = await emit({ ...app, 'index.html': Buffer.from(html) })
  assert.match(text('index.html'), 'data-manifest')
})

for (const type of ['sha384', 'sha512'] as const)
  test(`${type} on request`, async () => {
    const { files, manifest } = await emit(app, { hash: type })
    assert.is(manifest.hash, type)
    for (const [path, digest] of manifest.files) assert.is(digest, hash(files.get(path)!, type))
  })

test('static imports are listed where the emitted text says them', async () => {
  const { manifest, text } = await emit(app)
  assert.equal([...manifest.imports.keys()], ['assets/b.js', 'assets/index.js'])
  const code = text('assets/index.js').replace(/^\ufeff/, '')
  assert.equal(
    manifest.imports
      .get('assets/index.js')!
      .map(({ start, end, path }) => [code.slice(start, end), path]),
    [
      ['./b.js', 'assets/b.js'],
      ['./c.js', 'assets/c.js'],
    ],
  )
})

test('the page manifest is named by its signed text', async () => {
  const { manifestPath, manifestText } = await emit(app)
  const signedText = manifestText.slice(manifestText.indexOf('\n\n') + 2)
  assert.is(manifestPath, `signedimp-manifest.${hash(signedText).slice(0, 16)}.txt`)
})

test('the name of the manifest is that of its copies', async () => {
  assert.match(
    (await emit(app, { manifest: 'shop-manifest.txt' })).manifestPath,
    /^shop-manifest\.[0-9a-f]{16}\.txt$/,
  )
})

test('directives: name, build, expires, in that order', async () => {
  const { manifestText } = await emit(app, {
    build: 7,
    expires: new Date('2099-01-02T03:04:05.678Z'),
  })
  assert.match(
    manifestText,
    '\n\nsha256\n# signedimp: 1\n# name: shop\n# build: 7\n# expires: 2099-01-02T03:04:05Z\n# import: ',
  )
})

// Names.

for (const [what, path] of Object.entries({
  'a control character': 'a\u0007.txt',
  'a line break': 'a\nb.txt',
  'a tab': 'a\tb.txt',
  'a backslash': 'a\\b.txt',
  'a right-to-left override': 'a\u202etxt.js',
  'a decomposed letter': 'u\u0308.txt',
  'a parent folder': '../a.txt',
  'a root': '/a.txt',
  'an empty segment': 'a//b.txt',
  'a dot segment': 'a/./b.txt',
  'a lone surrogate': 'a\ud800.txt',
}))
  test(`refused: a file whose name has ${what}`, async () => {
    await throwsCode(() => emit({ ...app, [path]: '' }), 'ERR_SIGNEDIMP_PATH')
  })

for (const [one, other] of [
  ['App.js', 'app.js'],
  ['a/B.txt', 'A/b.txt'],
  ['straße.txt', 'STRASSE.txt'],
  ['ς.txt', 'σ.txt'],
  ['a.txt', 'a.txt '],
] as const)
  test(`refused: ${JSON.stringify(one)} beside ${JSON.stringify(other)}, which are one file to some`, async () => {
    const error = await throwsCode(
      () => emit({ ...app, [one]: '', [other]: '' }, { unverified: [one, other] }),
      'ERR_SIGNEDIMP_PATH',
    )
    assert.match(error.message, one.trimEnd())
  })

test('names with signs that URLs escape are two files, and two URLs', async () => {
  const names = [
    'a b.txt',
    'a%20b.txt',
    'a%2520b.txt',
    'a#b.txt',
    'a%23b.txt',
    'a?b.txt',
    'a%3fb.txt',
    '[id].txt',
    '%5bid%5d.txt',
  ]
  const { manifest } = await emit({
    ...app,
    ...Object.fromEntries(names.map((name) => [name, name])),
  })
  for (const name of names) assert.is(manifest.files.get(name), hash(name))
})

test('names of the object prototype are names', async () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '0', 'then']
  const files = Object.fromEntries(names.map((name) => [`x/${name}`, name]))
  const { manifest } = await emit({ ...app, ...files, ['__proto__']: '' })
  for (const name of names) assert.is(manifest.files.get(`x/${name}`), hash(name))
})

// Reproducible.

test('the order in which a bundler hands files over changes nothing', async () => {
  const one = await emit({ ...app, 'b.txt': 'b', 'a.txt': 'a', 'ｱ.txt': '', '😀.txt': '' })
  const reversed = { '😀.txt': '', 'ｱ.txt': '', 'a.txt': 'a', 'b.txt': 'b', ...app }
  const two = await emit(Object.fromEntries(Object.entries(reversed).reverse()))
  assert.is(one.manifestText, two.manifestText)
  assert.is(one.text('index.html'), two.text('index.html'))
})

test('another key changes no file of the app but its pages', async () => {
  const [one, two] = [await emit(app), await emit(app, { key: await generateKey('ed25519') })]
  const ofApp = ({ manifest }: typeof one) =>
    [...manifest.files].filter(([path]) => !/^signedimp-(runtime|blob)-/.test(path))
  assert.ok(ofApp(one).length > 2)
  assert.equal(ofApp(one), ofApp(two))
  assert.is.not(one.text('index.html'), two.text('index.html'))
})

test('a bootstrap that is linked is named by its content, keys and all', async () => {
  const other = await generateKey('ed25519')
  const linked = async (options: object) =>
    [...(await emit(app, { inline: false, ...options })).files.keys()].find((path) =>
      /^signedimp-[0-9a-f]{16}\.js$/.test(path),
    )
  const [one, same, two] = [
    await linked({}),
    await linked({ build: 3 }),
    await linked({ key: other }),
  ]
  assert.ok(one)
  assert.is(one, same)
  assert.is.not(one, two)
})

for (const algorithm of ['rsa-pss', 'ecdsa-p256'] as const)
  test(`a build signed with ${algorithm}`, async () => {
    const { manifest } = await emit(app, { key: await generateKey(algorithm) })
    assert.ok(manifest.files.size > 0)
  })

test('only a bootstrap whose keys sign in DER has code for it', async () => {
  const built = (name: string) =>
    readFileSync(join(root, 'dist/bootstrap', name), 'utf8').split(/__SIGNEDIMP_\w+?__/)[0]!
  const isBuiltOf = async (name: string, own: KeyObject, keys: KeyObject[] = []) =>
    carrierOf((await emit(app, { key: own, keys })).text('index.html'))!.text.startsWith(
      built(name),
    )
  const [ed25519, ecdsa] = [await generateKey('ed25519'), await generateKey('ecdsa-p256')]
  assert.ok(await isBuiltOf('page.js', ed25519))
  assert.ok(await isBuiltOf('page.js', ed25519, [await generateKey('rsa-pss')]))
  assert.ok(await isBuiltOf('page-der.js', ecdsa))
  assert.ok(await isBuiltOf('page-der.js', ed25519, [ecdsa]))
  assert.not.ok(await isBuiltOf('page-der.js', ed25519))
})

test('every trusted key is pinned once, with the threshold', async () => {
  const [own, other] = [await generateKey('ed25519'), await generateKey('ed25519')]
  const { text } = await emit(app, { key: own, keys: [other, own, other], threshold: 2 })
  const pinned = text('index.html')
  assert.is(pinned.match(/fingerprint:"[0-9a-f]{64}"/g)?.length, 2)
  assert.match(pinned, 'threshold:2')
})

test('a threshold beyond the number of different keys is refused', async () => {
  const own = await generateKey('ed25519')
  try {
    await emit(app, { key: own, keys: [own], threshold: 2 })
    assert.unreachable()
  } catch (error) {
    assert.instance(error, TypeError)
    assert.match((error as Error).message, '"threshold"')
  }
})

test('a page manifest is named by its keys too, whose signatures under one name would not fit all pages', async () => {
  const other = await generateKey('ed25519')
  const publicKey = createPublicKey(await generateKey('ed25519'))
  const names = [
    (await emit(app)).manifestPath,
    (await emit(app, { key: other })).manifestPath,
    (await emit(app, { keys: [publicKey] })).manifestPath,
    (await emit(app, { keys: [createPublicKey(other)] })).manifestPath,
  ]
  assert.is(new Set(names).size, 4)
  assert.is((await emit(app)).manifestPath, names[0])
})

test('a module whose name says that it is none is refused, for the map would not check it', async () => {
  const error = await throwsCode(
    () => emit({ ...app, 'assets/lazy.es6': chunk('export {}') }),
    'ERR_SIGNEDIMP_OUTPUT',
  )
  assert.match(error.message, 'assets/lazy.es6')
})

// Nothing half-done is shipped.

test('no placeholder of ours or of the bundler is left', async () => {
  for (const inline of [true, false, 'all'] as const) {
    const { files, text } = await emit(app, { inline })
    for (const path of files.keys())
      assert.not.match(text(path), /__SIGNEDIMP_|undefined|\[object|__DER__/, path)
  }
})

test('a file that is no module, though the bundler says so, is refused by name', async () => {
  const error = await throwsCode(
    () => emit({ ...app, 'assets/lazy.js': chunk('export const = ;"') }),
    'ERR_SIGNEDIMP_OUTPUT',
  )
  assert.match(error.message, 'assets/lazy.js')
})

// Private keys.

const pem = async (options: object = { type: 'pkcs8', format: 'pem' }) =>
  (await generateKey('rsa-pss')).export(options as { type: 'pkcs8'; format: 'pem' }) as string

const encrypted = { format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }
const kinds: Record<string, () => Promise<string>> = {
  'RSA, PKCS#8': pem,
  'RSA, encrypted': () => pem({ ...encrypted, type: 'pkcs8' }),
  'RSA, encrypted the old way': () => pem({ ...encrypted, type: 'pkcs1' }),
  Ed25519: async () =>
    (await generateKey('ed25519')).export({ type: 'pkcs8', format: 'pem' }) as string,
}
const base64 = (text: string) => Buffer.from(text).toString('base64')

const leaks: Record<string, (key: string) => Bundled> = {
  'in a chunk': (key) => ({ 'assets/lazy.js': chunk(`export const k = ${JSON.stringify(key)}`) }),
  'in a template of a chunk': (key) => ({ 'assets/lazy.js': chunk(`export const k = \`${key}\``) }),
  'in an asset of text': (key) => ({ 'release.key': key }),
  'in an asset of bytes': (key) => ({ 'release.key': Buffer.from(key) }),
  'in a part of a larger buffer': (key) => ({ 'a.bin': Buffer.from('xx' + key).subarray(2) }),
  'in a source map': (key) => ({ 'a.js.map': JSON.stringify({ sourcesContent: [key] }) }),
  'in a page': (key) => ({ 'index.html': `${html}<pre>${key}</pre>` }),
  'with CRLF': (key) => ({ 'release.key': key.replaceAll('\n', '\r\n') }),
  'in a data URL of a chunk': (key) => ({
    'assets/lazy.js': chunk(`export const k = "data:text/plain;base64,${base64(key)}"`),
  }),
  'in a data URL, a byte later': (key) => ({
    'a.css': `a{b:url(data:;base64,${base64('x' + key)})}`,
  }),
  'in a data URL, two bytes later': (key) => ({
    'a.css': Buffer.from(`a{b:url(data:;base64,${base64('xx' + key)})}`),
  }),
  'amid other bytes': (key) => ({
    'a.bin': Buffer.concat([Buffer.alloc(999, 255), Buffer.from(key)]),
  }),
}

for (const [kind, make] of Object.entries(kinds)) {
  const ready = make()
  for (const [where, files] of Object.entries(leaks))
    test(`refused: the private key ${where} (${kind})`, async () => {
      const key = await ready
      const error = await throwsCode(
        () => emit({ ...app, ...files(key) }, { key, password: 'x' }),
        'ERR_SIGNEDIMP_KEY_EXPOSED',
      )
      for (const line of key.split('\n').filter((text) => text.length > 40))
        assert.not.match(error.message, line)
    })

  test(`refused: the private key in the public folder (${kind})`, async () => {
    const key = await ready
    const publicFiles = { 'keys/x.txt': key }
    await throwsCode(
      () => emit(app, { key, password: 'x', publicFiles }),
      'ERR_SIGNEDIMP_KEY_EXPOSED',
    )
  })
}

test('refused: the private key of a KeyObject', async () => {
  const key = await generateKey('ed25519')
  const text = key.export({ type: 'pkcs8', format: 'pem' }) as string
  await throwsCode(() => emit({ ...app, 'a.txt': text }, { key }), 'ERR_SIGNEDIMP_KEY_EXPOSED')
})

test('a PEM text may have words before its first line', async () => {
  const key = await pem()
  for (const text of ['\n' + key, 'Bag Attributes\n  localKeyID: 01\n' + key])
    await throwsCode(
      () => emit({ ...app, 'a.txt': key }, { key: text }),
      'ERR_SIGNEDIMP_KEY_EXPOSED',
    )
})

test('the public key and words about keys are no private key', async () => {
  const key = await generateKey('rsa-pss')
  const text = createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string
  const pemText = key.export({ type: 'pkcs8', format: 'pem' }) as string
  await emit({ ...app, 'a.txt': text, 'b.txt': '-----BEGIN PRIVATE KEY-----' }, { key: pemText })
})

test.run()
