import { createPublicKey, createSecretKey } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { generateKey } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { resolveOptions } from '../../src/plugin/options.ts'
import { readOwnKey, readRelease } from '../../src/plugin/release.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { throwsCode } from '../support/throws.ts'

const key = await generateKey('ed25519')
const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string
const secret = pem.split('\n')[1]!

/** The TypeError of a call that is a mistake; it must not show the key. */
function mistake(...args: unknown[]): TypeError {
  try {
    ;(signedImp as (...args: unknown[]) => unknown)(...args)
  } catch (error) {
    assert.instance(error, TypeError)
    assert.not.ok((error as Error).message.includes(secret), 'shows the key')
    assert.not.match((error as Error).message, /BEGIN|\n/)
    return error as TypeError
  }
  throw new Error(`no error: ${args.map((arg) => typeof arg).join(', ')}`)
}

const resolved = (options: object, env: NodeJS.ProcessEnv = {}) =>
  resolveOptions([key, options], env)

// The key.

for (const [what, value] of Object.entries({
  undefined: undefined,
  null: null,
  'an empty text': '',
  'an empty object': {},
  'an array': [pem],
  'a number': 1,
  true: true,
  'a function': () => pem,
  'a Buffer': Buffer.from(pem),
  'a promise': Promise.resolve(pem),
  'options in place of the key': { name: 'shop', inline: false },
  'a signer without a key': { sign() {} },
  'a signer that cannot sign': { publicKey: createPublicKey(key) },
  'a signer whose sign is no function': { publicKey: createPublicKey(key), sign: 'yes' },
  'a public key as pages have it': { spki: 'MC', fingerprint: 'ab', scheme: 'ed25519' },
  'a JWK': key.export({ format: 'jwk' }),
}))
  test(`no key: ${what}`, () => {
    const { message } = mistake(value)
    assert.match(message, 'the key must be')
    assert.match(message, 'signedImp() without arguments')
    assert.match(mistake(value, { name: 'shop' }).message, 'the key must be')
  })

test('an unset variable never means a one-time key', () => {
  mistake(process.env['SIGNEDIMP_TEST_NOT_SET'])
  mistake(undefined, undefined)
})

test('no argument at all means a one-time key', () => {
  assert.is(resolveOptions([]).key, undefined)
  assert.is(signedImp().name, 'signedimp')
})

test("with mode 'off' there may be no key: nothing would be signed with it", () => {
  for (const none of [undefined, ''])
    assert.is(resolveOptions([none, { mode: 'off' }]).key, undefined)
  for (const none of [undefined, ''])
    for (const options of [{}, { mode: 'on' }, { mode: undefined }]) {
      const { message } = mistake(none, options)
      assert.match(message, 'the key must be')
      assert.match(message, 'is an environment variable not set?')
    }
  for (const value of [null, 0, false, {}])
    assert.match(mistake(value, { mode: 'off' }).message, 'the key must be')
})

test('a key may be a file, a URL, a text, an object, a signer', () => {
  const signer = { publicKey: createPublicKey(key), sign: () => new Uint8Array(64) }
  for (const good of ['release.pem', pathToFileURL('/release.pem'), pem, key, signer])
    assert.is(resolveOptions([good]).key, good)
})

test('nothing is read before a build', () => {
  signedImp('does-not-exist.pem', {
    keys: ['neither.pub'],
    password: () => {
      throw new Error('asked for the password')
    },
  })
})

// The other options: each wrong value, and a private key in its place.

const right384 = `sha384-${'A'.repeat(64)}`

const wrong: Record<string, unknown[]> = {
  password: ['', 1, null, {}, [], true],
  keys: ['release.pub', {}, 1, null, [''], [undefined], [1], [{}], [[]]],
  threshold: [0, -1, 1.5, NaN, Infinity, 2, '1', null, {}, 1n],
  hash: ['sha1', 'md5', 'SHA256', 'sha-256', '', 1, null, ['sha256'], {}, 'constructor', 1n],
  manifest: [
    '',
    'manifest',
    'a/b.txt',
    '../a.txt',
    '/a.txt',
    'a.js',
    '.txt',
    'a\\b.txt',
    'a\n.txt',
    1,
    null,
    {},
  ],
  name: ['', 'a\nb', 'a\u0000b', 'a\u202eb', 'u\u0308', '\ud800', 1, null, {}, []],
  build: [-1, 1.5, NaN, Infinity, 2 ** 53, '1', null, {}, true, 1n],
  remember: ['yes', 'optional', 1, null, {}],
  expires: [
    '',
    'never',
    '2027-13-01',
    new Date(NaN),
    {},
    [],
    true,
    null,
    0,
    1,
    '+010000-01-01T00:00:00Z',
  ],
  inline: ['', 'none', 'ALL', 0, 1, null, {}],
  html: [
    '',
    'index.html',
    true,
    1,
    null,
    {},
    [''],
    [1],
    [undefined],
    ['index.js'],
    ['a.html', 'b'],
  ],
  tags: ['yes', 1, null, {}, []],
  policy: ['', 'hashes', true, null, [], "'self'"],
  pure: ['', 'true', 0, 1, null, {}, []],
  workersFirst: ['', 'true', 0, 1, null, {}, []],
  headers: ['nginx', ['nginx', 'caddy'], ['toString'], [1], {}, true, ['.htaccess']],
  external: [
    '',
    'https://x.example/a.js',
    [],
    1,
    null,
    true,
    new Map(),
    ...[
      '/a.js',
      'a',
      '//x.example/a.js',
      'http://x.example/a.js',
      'http://localhost.example/a.js',
      'data:text/javascript,1',
      'https://x.example/a.js#',
      'https://x.example/a.js#b',
      'https://me@x.example/a.js',
      'https://me:secret@x.example/a.js',
    ].map((url) => ({ [url]: right384 })),
    ...[
      '',
      'md5-AAAA',
      'sha256-',
      'sha256-!!!',
      `sha1-${'A'.repeat(27)}=`,
      right384.slice(1),
      right384.slice(0, -1),
      ` ${right384}`,
      `${right384}?x`,
      `${right384} ${right384}`,
      `SHA384-${'A'.repeat(64)}`,
      `sha256-${'A'.repeat(42)}B=`,
      `sha384-${'_'.repeat(64)}`,
      1,
      null,
      undefined,
      [right384],
    ].map((integrity) => ({ 'https://x.example/a.js': integrity })),
    { 'https://x.example/a.js': right384, 'HTTPS://X.example/a.js': right384 },
  ],
  fallback: ['', 1, null, {}, ['x']],
  reportTo: [
    '',
    'report',
    './report',
    '//evil.example',
    '/\\evil.example',
    '/..//evil.example',
    'http://x.example/',
    'https:x',
    'https:///x',
    'https://user@x.example/',
    'https://x.example/#a',
    '/a b',
    '/ü',
    'data:,x',
    1,
    true,
    null,
    {},
  ],
  server: ['node', 1, null, {}, () => true],
  resources: ['data.json', 1, null, {}, [''], [1], () => true],
  unverified: [
    'a.js',
    {},
    1,
    null,
    [''],
    ['*'],
    ['*.js'],
    ['**'],
    ['assets/*'],
    ['assets/*.js'],
    ['*/a.js'],
    ['.*'],
    ['*-*.js'],
    [1],
    [undefined],
    ['https://*/a.js'],
  ],
  mode: ['', 'ON', 'lax', true, false, null, {}],
}

for (const [option, values] of Object.entries(wrong))
  for (const value of values)
    test(`wrong: ${option}: ${describe(value)}`, () => {
      assert.match(mistake(key, { [option]: value }).message, `"${option}" must be`)
    })

function describe(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || value instanceof Date) return String(value)
  return JSON.stringify(value)
}

test('a private key in the place of another option is not shown', () => {
  for (const option of Object.keys(wrong).filter((name) => name !== 'password'))
    for (const value of [pem, [pem], { pem }, key])
      try {
        resolved({ [option]: value })
      } catch (error) {
        assert.instance(error, TypeError)
        assert.not.ok((error as Error).message.includes(secret), option)
        assert.match((error as Error).message, `"${option}"`)
      }
})

test('every option is tried above', () => {
  const { message } = mistake(key, { nothing: 1 })
  const [, names] = /must be one of (.*); it is/.exec(message)!
  assert.equal(names!.split(', ').sort(), Object.keys(wrong).sort())
})

for (const options of [
  null,
  1,
  'shop',
  [],
  true,
  () => ({}),
  key,
  new Date(),
  new URL('file:///a'),
  new Map(),
])
  test(`wrong: options that are ${Object.prototype.toString.call(options)}`, () => {
    assert.match(mistake(key, options).message, 'options must be an object')
  })

for (const name of ['pasword', 'Name', 'constructor', '__proto__x', 'toString', 'base', 'key', ''])
  test(`an unknown option is named: ${JSON.stringify(name)}`, () => {
    const { message } = mistake(key, { [name]: undefined })
    assert.match(message, `option "${name}"`)
    assert.match(message, 'unknown')
  })

// What is right.

test('what is not given', () => {
  assert.equal(resolved({}), {
    key,
    password: undefined,
    keys: [],
    threshold: 1,
    hash: 'sha256',
    manifest: 'signedimp-manifest.txt',
    name: undefined,
    build: undefined,
    expires: undefined,
    remember: undefined,
    inline: true,
    html: [],
    tags: false,
    policy: 'strict-dynamic',
    pure: false,
    workersFirst: false,
    headers: [],
    external: new Map(),
    fallback: undefined,
    reportTo: undefined,
    unverified: [],
    resources: false,
    server: undefined,
    mode: 'on',
    forPages: [],
  })
  assert.equal(
    resolved(Object.fromEntries(Object.keys(wrong).map((name) => [name, undefined]))),
    resolved({}),
  )
})

const right: Record<string, unknown[]> = {
  password: ['x', () => 'x', async () => 'x'],
  hash: ['sha256', 'sha384', 'sha512'],
  manifest: ['a.txt', 'shop ü.txt', 'a.b.txt'],
  name: ['shop', 'shop/staging', 'Käse 🧀', '__proto__', ' '],
  build: [0, 1, Number.MAX_SAFE_INTEGER],
  inline: [true, false, 'all'],
  pure: [true, false],
  workersFirst: [true, false],
  headers: [[], ['json'], ['_headers', 'nginx', 'apache', 'json']],
  html: ['later', [], ['public/index.html', '/a/b.htm']],
  fallback: ['Bitte neu laden'],
  reportTo: ['/', '/report', '/a?app=1', 'https://x.example', 'https://x.example/a?b=1'],
  server: [true, false],
  resources: [true, false, [], ['*.bin', 'data/*', 'a.json']],
  unverified: [
    [],
    ['sw.js'],
    ['assets/worker-*.js'],
    ['*.worker.js'],
    ['https://x.example/a.js'],
    ['//x.example/a.js'],
    ['vendor/*-legacy.js'],
  ],
  mode: ['on', 'report-only', 'off'],
}

for (const [option, values] of Object.entries(right))
  for (const value of values)
    test(`right: ${option}: ${describe(value)}`, () => {
      assert.is((resolved({ [option]: value }) as never)[option], value)
    })

test('threshold goes up to the number of keys', () => {
  const keys = ['a.pub', pathToFileURL('/b.pub'), createPublicKey(key)]
  assert.is(resolved({ keys, threshold: 4 }).threshold, 4)
  assert.match(mistake(key, { keys, threshold: 5 }).message, 'from 1 to 4')
})

test('expires is an instant in whole seconds', () => {
  assert.is(resolved({ expires: '2099-01-02T03:04:05Z' }).expires, '2099-01-02T03:04:05Z')
  assert.is(resolved({ expires: '2099-01-02' }).expires, '2099-01-02T00:00:00Z')
  assert.is(resolved({ expires: '2099-01-02T03:04:05+02:00' }).expires, '2099-01-02T01:04:05Z')
  assert.is(resolved({ expires: new Date(4e12 + 999) }).expires, '2096-10-02T07:06:40Z')
})

test('external modules have the URLs that browsers make of theirs', () => {
  const urls = ['https://X.example', 'http://localhost:1/a.js', 'http://127.0.0.1/a.js?b']
  const external = Object.fromEntries(urls.map((url) => [url, right384]))
  assert.equal(
    [...resolved({ external }).external.keys()],
    ['https://x.example/', ...urls.slice(1)],
  )
})

test('external modules are for pages of the build itself', () => {
  const { message } = mistake(key, { external: {}, html: 'later' })
  assert.match(message, /"external" must be left out with html: 'later'/)
})

test("inline: 'all' carries one signature, so that no threshold above it can be met", () => {
  const { message } = mistake(key, { inline: 'all', threshold: 2, keys: ['a.pub'] })
  assert.match(message, /inline: 'all'.*"threshold"/)
})

test("tags are for the build's own pages, so that there must be some", () => {
  const { message } = mistake(key, { tags: true, html: 'later' })
  assert.match(message, /"tags".*html: 'later'/)
})

test('what is remembered is a build', () => {
  const { message } = mistake(key, { remember: true })
  assert.match(message, '"remember" needs "build"')
  for (const remember of [true, 'if-possible'] as const) {
    assert.is(resolved({ remember, build: 0 }).remember, remember)
    assert.is(resolved({ remember }, { SOURCE_DATE_EPOCH: '1' }).remember, remember)
  }
  assert.is(resolved({ remember: false }).remember, undefined)
})

test('later pages would not remember', () => {
  const { message } = mistake(key, { remember: true, build: 1, html: 'later' })
  assert.match(message, /"remember" is for.*html: 'later'/)
})

test("a policy is for the build's own pages, too", () => {
  const { message } = mistake(key, { policy: 'self', html: 'later' })
  assert.match(message, /"policy".*html: 'later'.*--policy/)
})

// SOURCE_DATE_EPOCH.

test('SOURCE_DATE_EPOCH is the build where none is given', () => {
  assert.is(resolved({}, { SOURCE_DATE_EPOCH: '1700000000' }).build, 1700000000)
  assert.is(resolved({}, { SOURCE_DATE_EPOCH: '0' }).build, 0)
  assert.is(resolved({ build: 7 }, { SOURCE_DATE_EPOCH: '1700000000' }).build, 7)
  assert.is(resolved({ build: 7 }, { SOURCE_DATE_EPOCH: 'broken' }).build, 7)
})

for (const value of ['soon', '-1', '1.5', '1e9', ' 1', '9'.repeat(20)])
  test(`SOURCE_DATE_EPOCH that is no number is named: ${value}`, () => {
    try {
      resolved({}, { SOURCE_DATE_EPOCH: value })
      assert.unreachable()
    } catch (error) {
      assert.instance(error, TypeError)
      assert.match((error as Error).message, 'SOURCE_DATE_EPOCH')
    }
  })

// What is read when a build starts.

test('a missing key file is named, and what to do', async () => {
  const error = await throwsCode(
    () => readRelease(resolveOptions(['missing.pem', { name: 'shop' }]), scratchFolder(), '/'),
    'ERR_SIGNEDIMP_KEY',
  )
  assert.match(error.message, 'missing.pem')
})

const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string

test('a public key is pinned, and signs nothing', async () => {
  const root = scratchFolder()
  await writeFiles(root, { 'release.pem.pub': publicPem })
  const url = pathToFileURL(join(root, 'release.pem.pub'))
  for (const source of ['release.pem.pub', url, publicPem, createPublicKey(key)]) {
    const { own, signer } = await readOwnKey(resolveOptions([source]), root)
    assert.equal([own, signer], [toTrustedKey(key), undefined])
  }
})

test("a public key with inline: 'all' is a mistake: the signature could not be added to the pages", async () => {
  const options = resolveOptions([publicPem, { name: 'shop', inline: 'all' }])
  const outcome = await readRelease(options, scratchFolder(), '/').catch((error) => error)
  assert.instance(outcome, TypeError)
  assert.match((outcome as Error).message, /inline: 'all'.*public key/)
})

test('tags need to know where the files will be', async () => {
  const options = resolveOptions([publicPem, { name: 'shop', tags: true }])
  const read = (base: string) => readRelease(options, scratchFolder(), base)
  for (const base of ['', './', '../', 'app/', '//cdn.example/', 'ftp://a/']) {
    const outcome = await read(base).catch((error) => error)
    assert.instance(outcome, TypeError, base)
    assert.match((outcome as Error).message, '"tags" needs the place of the files')
  }
  for (const base of ['/', '/app/', 'https://cdn.example/', 'http://127.0.0.1:8080/a/'])
    // The bootstrap, which is read next, is built beside the published plugin only.
    assert.is((await read(base).catch((error) => error)).code, 'ENOENT', base)
})

test('a private key signs, also where its public half stands in the same text', async () => {
  for (const text of [publicPem + pem, pem + publicPem]) {
    const { signer } = await readOwnKey(resolveOptions([text]), '/')
    assert.equal(signer?.key, toTrustedKey(key))
  }
})

test('a public key that is weak, damaged or in another form is refused', async () => {
  const lines = publicPem.split('\n')
  for (const text of [
    [lines[0], lines[1]!.slice(8), ...lines.slice(2)].join('\n'),
    lines.slice(0, 2).join('\n'),
    publicPem + publicPem,
    publicPem.replaceAll('PUBLIC', 'RSA PUBLIC'),
  ])
    await throwsCode(() => readOwnKey(resolveOptions([text]), '/'), 'ERR_SIGNEDIMP_KEY')
})

test('a private key file among the public keys is refused', async () => {
  const root = scratchFolder()
  await writeFiles(root, { 'other.pem': pem })
  for (const source of ['other.pem', pathToFileURL(join(root, 'other.pem')), pem]) {
    const options = resolveOptions([key, { name: 'shop', keys: [source] }])
    const error = await throwsCode(() => readRelease(options, root, '/'), 'ERR_SIGNEDIMP_KEY')
    assert.not.ok(error.message.includes(secret))
  }
})

test('secret keys are no signing keys', async () => {
  const options = resolveOptions([createSecretKey(Buffer.alloc(32)), { name: 'shop' }])
  await throwsCode(() => readRelease(options, scratchFolder(), '/'), 'ERR_SIGNEDIMP_KEY')
})

test('without a name and a package.json that has one, a build says so', async () => {
  try {
    await readRelease(resolveOptions([key]), scratchFolder(), '/')
    assert.unreachable()
  } catch (error) {
    assert.instance(error, TypeError)
    assert.match((error as Error).message, '"name"')
  }
})

for (const [what, password, code] of [
  ['no password', undefined, 'ERR_SIGNEDIMP_PASSWORD'],
  ['a wrong password', 'wr0ng pass', 'ERR_SIGNEDIMP_PASSWORD'],
  ['a callback that gives nothing', () => '', 'ERR_SIGNEDIMP_PASSWORD'],
] as const)
  test(`an encrypted key with ${what}: the message shows neither`, async () => {
    const encrypted = key.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'right',
    }) as string
    const options = resolveOptions([encrypted, { name: 'shop', ...(password && { password }) }])
    const error = await throwsCode(() => readRelease(options, scratchFolder(), '/'), code)
    assert.not.match(error.message, 'wr0ng')
    assert.not.ok(error.message.includes(encrypted.split('\n')[2]!))
  })

test.run()
