import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import type { InlineConfig } from 'vite'
import { generateKey } from '../../src/keys/generate.ts'
import { buildFixture, writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { carrierOf } from '../emit/emitted.ts'
import {
  check,
  codeOf,
  filesIn,
  manifestsIn,
  outcomeOf,
  saysSecret,
  textIn,
  vites,
} from './built.ts'

const password = 'correct horse battery staple'
const key = await generateKey('ed25519')
const plain = key.export({ type: 'pkcs8', format: 'pem' }) as string
const encrypted = key.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: password,
}) as string

/** What nobody may see: every line of the key's text, and the password. */
const secretsOf = (pem: string) => [
  ...pem.split('\n').filter((line) => /^[\w+/=]{20,}$/.test(line)),
  password,
]

/** What other blocks of a key's file may look like. */
const certificate = `-----BEGIN CERTIFICATE-----\n${'MIIBszCCAVmgAwIBAgIUQk9HVVM'.repeat(2)}\n-----END CERTIFICATE-----\n`
const html = '<!doctype html><script type="module" src="/src/main.js"></script>'
const files = {
  'index.html': html,
  'src/main.js': 'import("./lazy.js")',
  'src/lazy.js': 'export default 1',
}

// Ways in which an app publishes a file beside it.
const ways: Record<string, [more: Record<string, string>, config?: InlineConfig]> = {
  '?raw': [{ 'src/lazy.js': 'export { default } from "../release.key?raw"' }],
  '?url': [{ 'src/lazy.js': 'export { default } from "../release.key?url"' }],
  '?url, inlined': [
    { 'src/lazy.js': 'export { default } from "../release.key?url"' },
    { build: { assetsInlineLimit: 100_000 } },
  ],
  '?inline': [{ 'src/lazy.js': 'export { default } from "../release.key?url&inline"' }],
  '?no-inline': [{ 'src/lazy.js': 'export { default } from "../release.key?url&no-inline"' }],
  'a dynamic import': [{ 'src/lazy.js': 'export default () => import("../release.key?raw")' }],
  'another spelling': [{ 'src/lazy.js': 'export { default } from "./../src/../release.key?raw"' }],
  'new URL': [{ 'src/lazy.js': 'export default new URL("../release.key", import.meta.url).href' }],
  'a glob of texts': [
    {
      'src/lazy.js': 'export default import.meta.glob("../*.key", { query: "?raw", eager: true })',
    },
  ],
  'a glob of URLs': [
    { 'src/lazy.js': 'export default import.meta.glob("../*.key", { query: "?url" })' },
  ],
  'url() in CSS': [
    { 'src/lazy.js': 'import "./a.css"', 'src/a.css': 'a{background:url(../release.key)}' },
  ],
  'url() in CSS, inlined': [
    { 'src/lazy.js': 'import "./a.css"', 'src/a.css': 'a{background:url(../release.key)}' },
    { build: { assetsInlineLimit: 100_000 } },
  ],
  'a link in HTML': [{ 'index.html': html + '<link rel="icon" href="./release.key">' }],
  'an image in HTML': [{ 'index.html': html + '<img src="./release.key">' }],
  'a copy': [{ 'public/copy.txt': '$KEY' }],
  'a copy in a public page': [{ 'public/copy.html': '<pre>$KEY</pre>' }],
  'a text in the code': [{ 'src/lazy.js': 'export default `$KEY`' }],
  'a define': [{ 'src/lazy.js': 'export default KEY' }],
  JSON: [{ 'src/lazy.js': 'export { default } from "./a.json"', 'src/a.json': '{"key":"$JSON"}' }],
  'a comment in a source map': [
    { 'src/lazy.js': '/*\n$KEY*/export default 1' },
    { build: { sourcemap: true, minify: true } },
  ],
  'an asset of another plugin': [{}],
}

/** Puts the key's text where an app has it. */
const fill = (more: Record<string, string>, pem: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(more).map(([path, text]) => [
      path,
      text.replaceAll('$KEY', pem).replaceAll('$JSON', JSON.stringify(pem).slice(1, -1)),
    ]),
  )

for (const vite of vites)
  for (const [kind, pem] of Object.entries({ plain, encrypted }))
    for (const [way, [more, config = {}]] of Object.entries(ways))
      test(`${vite}: refused: the key in the output by ${way} (${kind})`, async () => {
        const byConfig: Record<string, InlineConfig> = {
          'a define': { define: { KEY: JSON.stringify(pem) } },
          'an asset of another plugin': assetOf(pem),
        }
        const own = byConfig[way] ?? config
        const building = buildFixture(
          { ...files, ...fill(more, pem), 'release.key': pem },
          {
            vite,
            plugins: [signedImp('release.key', { password })],
            config: { logLevel: 'silent', ...own },
          },
        )
        const error = await outcomeOf(building)
        assert.is(codeOf(error), 'ERR_SIGNEDIMP_KEY_EXPOSED')
        assert.not.ok(
          saysSecret(`${error.message} ${error.stack}`, secretsOf(pem)),
          'the message shows it',
        )
      })

test('the key is looked for, and not the certificate that stands before it in its file', async () => {
  const building = (text: string) =>
    buildFixture(
      { ...files, 'release.key': certificate + plain, 'src/lazy.js': `export default \`${text}\`` },
      { plugins: [signedImp('release.key')], config: { logLevel: 'silent' } },
    )
  assert.is(codeOf(await outcomeOf(building(plain))), 'ERR_SIGNEDIMP_KEY_EXPOSED')
  assert.ok(manifestsIn(await building(certificate)).length > 0)
})

/** A plugin of somebody else that publishes the key as bytes. */
function assetOf(pem: string): InlineConfig {
  const generateBundle = function (this: { emitFile(file: object): void }) {
    this.emitFile({ type: 'asset', fileName: 'k.bin', source: Buffer.from(pem) })
  }
  return { plugins: [{ name: 'x', generateBundle } as never] }
}

for (const vite of vites)
  for (const hook of ['writeBundle', 'closeBundle'])
    test(`${vite}: refused: the key in a file that another plugin adds in ${hook}`, async () => {
      let dir = ''
      const copy = {
        name: 'copy',
        configResolved: ({ build, root }: { build: { outDir: string }; root: string }) =>
          void (dir = resolve(root, build.outDir)),
        [hook]: () => copyFileSync(join(dir, '../release.key'), join(dir, 'notes.txt')),
      }
      const error = await outcomeOf(
        buildFixture(
          { ...files, 'release.key': plain },
          { vite, plugins: [copy, signedImp('release.key')], config: { logLevel: 'silent' } },
        ),
      )
      assert.is(codeOf(error), 'ERR_SIGNEDIMP_KEY_EXPOSED')
      assert.match(error.message, 'notes.txt')
      assert.equal(manifestsIn(dir), [])
    })

for (const vite of vites) {
  for (const folder of ['public', 'public/deep', 'dist', 'dist/assets'])
    test(`${vite}: refused: a key in ${folder}, which is published`, async () => {
      for (const source of [`${folder}/release.key`, 'URL', 'link'] as const) {
        const root = dirname(await buildFixture(files, { vite }))
        await writeFiles(root, { [`${folder}/release.key`]: plain })
        if (source === 'link') symlinkSync(join(root, folder), join(root, 'keys'))
        const keySource =
          source === 'URL'
            ? pathToFileURL(join(root, folder, 'release.key'))
            : source === 'link'
              ? 'keys/release.key'
              : source
        const { build } = (await import(vite)) as typeof import('vite')
        const building = build({
          root,
          configFile: false,
          logLevel: 'silent',
          plugins: [signedImp(keySource) as never],
          build: { emptyOutDir: false },
        })
        // Behind a link the key is one of the files that nobody vouches for.
        const codes = /^ERR_SIGNEDIMP_(KEY_EXPOSED|FILES)$/
        if (source === 'link') assert.match(codeOf(await outcomeOf(building))!, codes)
        else assert.is(codeOf(await outcomeOf(building)), 'ERR_SIGNEDIMP_KEY_EXPOSED', source)
      }
    })

  test(`${vite}: neither key nor password is in the output, the messages or the cache`, async () => {
    const said: string[] = []
    const note = (text: string) => void said.push(text)
    const customLogger = {
      info: note,
      warn: note,
      warnOnce: note,
      error: note,
      clearScreen() {},
      hasErrorLogged: () => false,
      hasWarned: false,
    }
    const source = { ...files, 'release.key': encrypted }
    const config = {
      customLogger,
      logLevel: 'info',
      build: { sourcemap: true, manifest: true },
    } as InlineConfig
    const given = {
      text: password,
      callback: async () => password,
      variable: undefined,
      file: undefined,
    }
    for (const [way, value] of Object.entries(given)) {
      const passwordFile = join(scratchFolder(), 'password')
      writeFileSync(passwordFile, password + '\n')
      const env = {
        SIGNEDIMP_PASSWORD: way === 'variable' ? password : '',
        SIGNEDIMP_PASSWORD_FILE: way === 'file' ? passwordFile : '',
      }
      const dir = await withEnv(env, () =>
        buildFixture(source, {
          vite,
          plugins: [signedImp('release.key', value === undefined ? {} : { password: value })],
          config,
        }),
      )
      await check(dir, key)
      const everything = [...filesIn(dirname(dir))]
        .filter((path) => path !== 'release.key')
        .map((path) => textIn(dirname(dir), path))
      for (const text of [...everything, ...said])
        assert.not.ok(saysSecret(text, [...secretsOf(encrypted), ...secretsOf(plain)]), way)
    }
    assert.ok(said.some((text) => text.includes('signed fixture')))
  })

  test(`${vite}: an error about the key or its password shows neither`, async () => {
    const wrong = 'w1cked horse battery staple'
    const damaged = encrypted.replace(
      /\n(.{30})/,
      (_, start) => '\n' + start.split('').reverse().join(''),
    )
    for (const [source, options, code] of [
      ['release.key', {}, 'ERR_SIGNEDIMP_PASSWORD'],
      ['release.key', { password: wrong }, 'ERR_SIGNEDIMP_PASSWORD'],
      ['damaged.key', { password }, 'ERR_SIGNEDIMP_'],
      [encrypted, { password: wrong }, 'ERR_SIGNEDIMP_PASSWORD'],
      ['\n  ' + encrypted, { password: wrong }, 'ERR_SIGNEDIMP_PASSWORD'],
      ['Bag Attributes\n' + encrypted, { password: wrong }, 'ERR_SIGNEDIMP_PASSWORD'],
      [encrypted.split('\n').slice(1, -2).join(''), { password }, 'ERR_SIGNEDIMP_KEY'],
    ] as const) {
      const building = withEnv({ SIGNEDIMP_PASSWORD: '', SIGNEDIMP_PASSWORD_FILE: '' }, () =>
        buildFixture(
          { ...files, 'release.key': encrypted, 'damaged.key': damaged },
          { vite, plugins: [signedImp(source, options)], config: { logLevel: 'silent' } },
        ),
      )
      const error = await outcomeOf(building)
      assert.match(codeOf(error) ?? error.message, code)
      const words = `${error.message} ${error.stack} ${JSON.stringify(error)}`
      assert.not.ok(
        saysSecret(words, [...secretsOf(encrypted), ...secretsOf(damaged), wrong]),
        words,
      )
    }
  })

  test(`${vite}: a text with words before its first line is a key, not a file name`, async () => {
    for (const text of [
      '\n' + plain,
      'Bag Attributes\n    localKeyID: 01\n' + plain,
      plain.replaceAll('\n', '\r\n'),
    ])
      await check(await buildFixture(files, { vite, plugins: [signedImp(text)] }), key)
  })

  test(`${vite}: a one-time key signs one build, and the report says so`, async () => {
    const said: string[] = []
    const note = (text: string) => void said.push(text)
    const customLogger = {
      info: note,
      warn: note,
      warnOnce: note,
      error: note,
      clearScreen() {},
      hasErrorLogged: () => false,
      hasWarned: false,
    }
    const build = () =>
      buildFixture(files, {
        vite,
        plugins: [signedImp()],
        config: { customLogger } as InlineConfig,
      })
    const fingerprints = [await build(), await build()].map((dir) => {
      const [own, page] = manifestsIn(dir).map((path) => textIn(dir, path).slice(0, 64))
      assert.is(own, page)
      return own
    })
    assert.is(new Set(fingerprints).size, 2)
    assert.match(said.join('\n'), 'one-time')
  })

  test(`${vite}: the dev server never gives the key away, however it is asked`, async () => {
    const folder = join(scratchFolder(), 'käse app')
    mkdirSync(folder)
    await writeFiles(folder, {
      ...files,
      'package.json': '{"name":"fixture"}',
      'release.key': plain,
      'schlüssel.pem': plain,
      'keys/release.key': plain,
    })
    for (const [source, name] of [
      ['release.key', 'release.key'],
      ['schlüssel.pem', 'schlüssel.pem'],
      [pathToFileURL(join(folder, 'keys/release.key')), 'keys/release.key'],
    ] as const) {
      const server = await startDev(vite, folder, source)
      try {
        const { port } = server.httpServer!.address() as AddressInfo
        const file = join(folder, name)
        const answers = await Promise.all(
          spellings(name, file).map(async (path) => ({ path, ...(await get(port, path)) })),
        )
        for (const { path, status, body } of answers) {
          assert.not.ok(saysSecret(body, secretsOf(plain)), `${status} ${path}`)
          assert.is.not(status, 200, path)
        }
        assert.is((await get(port, '/' + encodeURI(name))).status, 403)
        const main = await get(port, '/src/main.js')
        assert.is(main.status, 200)
        assert.not.match(main.body, '_simp_')
        assert.match((await get(port, '/')).body, 'src="/src/main.js"')
        assert.not.match((await get(port, '/')).body, 'data-manifest')
      } finally {
        await server.close()
      }
    }
  })

  test(`${vite}: the dev server serves what merely sounds like the key's name`, async () => {
    const folder = scratchFolder()
    await writeFiles(folder, {
      ...files,
      'src/keyboard.js': 'export {}',
      'src/app.js': 'export {}',
      'secrets/key': plain,
    })
    const server = await startDev(vite, folder, 'secrets/key')
    try {
      const { port } = server.httpServer!.address() as AddressInfo
      assert.is((await get(port, '/src/keyboard.js')).status, 200)
      assert.is((await get(port, '/secrets/key')).status, 403)
    } finally {
      await server.close()
    }
  })

  test(`${vite}: the dev server refuses a module that is the key`, async () => {
    const folder = scratchFolder()
    await writeFiles(folder, {
      ...files,
      'release.key': plain,
      'src/main.js': 'import k from "../release.key?raw"; console.log(k)',
    })
    const server = await startDev(vite, folder, 'release.key')
    try {
      for (const id of ['/release.key?raw', '/release.key?url', '/release.key?import&raw']) {
        const outcome = await server.transformRequest(id).catch((error: Error) => error)
        assert.not.ok(saysSecret(JSON.stringify(outcome) + String(outcome), secretsOf(plain)), id)
      }
    } finally {
      await server.close()
    }
  })

  test(`${vite}: a dev server needs no key, no name and no password`, async () => {
    const folder = scratchFolder()
    await writeFiles(folder, files)
    const server = await startDev(vite, folder, 'missing.key', {
      password: () => assert.unreachable('asked for the password'),
    })
    const { port } = server.httpServer!.address() as AddressInfo
    assert.is((await get(port, '/src/main.js')).status, 200)
    await server.close()
  })

  test(`${vite}: the preview serves the signed build`, async () => {
    const dir = await buildFixture(
      { ...files, 'release.key': plain },
      { vite, plugins: [signedImp('release.key')] },
    )
    const { preview } = (await import(vite)) as typeof import('vite')
    const server = await preview({
      root: dirname(dir),
      configFile: false,
      logLevel: 'silent',
      plugins: [signedImp('release.key') as never],
      preview: { port: 0, host: '127.0.0.1' },
    })
    try {
      const { port } = server.httpServer.address() as AddressInfo
      const { body } = await get(port, '/')
      assert.is(body, textIn(dir, 'index.html'))
      const manifest = carrierOf(body)!.attributes['data-manifest']!
      assert.is((await get(port, manifest)).body, textIn(dir, manifest.slice(1)))
      for (const path of spellings('release.key', join(dirname(dir), 'release.key')))
        assert.not.ok(saysSecret((await get(port, path)).body, secretsOf(plain)), path)
    } finally {
      await new Promise((done) => server.httpServer.close(done))
    }
  })
}

/** Spellings of a file's URL that some part of a server may take for the file. */
function spellings(name: string, file: string): string[] {
  const escapeAll = (text: string) =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
  const encoded = encodeURI(name)
  const last = name.split('/').at(-1)!
  const oddLast = name.slice(0, -last.length) + escapeAll(last)
  const paths = [
    `/${encoded}`,
    `/./${encoded}`,
    `/src/../${encoded}`,
    `//${encoded}`,
    `/${encodeURI(name).replace('.', '%2e')}`,
    `/${encodeURI(name).replace('.', '%2E')}`,
    `/${escapeAll(last)}`,
    `/${oddLast}`,
    `/${encodeURI(oddLast)}`,
    `/${encoded.toUpperCase()}`,
    `/@fs${encodeURI(file)}`,
    `/@fs/${encodeURI(file)}`,
    `/@fs${encodeURI(dirname(file))}/${escapeAll(last)}`,
    `/@fs${encodeURI(dirname(file))}/x/../${escapeAll(last)}`,
    `/@id/${encodeURI(file)}`,
    `/@id/__x00__${encodeURI(file)}`,
    `/.vite/deps/../../${encoded}`,
  ]
  const queries = [
    '',
    '?raw',
    '?url',
    '?import',
    '?import&raw',
    '?url&inline',
    '?inline',
    '?raw??',
    '?import&raw??',
    '?import&raw&url',
    '?html-proxy',
    '?t=1',
    '?%',
    '?%zz',
    '?a=%E0%A4%A',
    '?raw&%',
    '?import&raw&%',
    '?url&import&%zz',
    '?.svg?.wasm?init',
    '?inline&.wasm?init',
    '?worker',
    '?worker&inline',
  ]
  return paths.flatMap((path) => queries.map((query) => path + query))
}

async function startDev(vite: string, root: string, source: string | URL, options: object = {}) {
  const { createServer } = (await import(vite)) as typeof import('vite')
  const server = await createServer({
    root,
    configFile: false,
    logLevel: 'silent',
    cacheDir: join(scratchFolder(), 'cache'),
    plugins: [signedImp(source, options) as never],
    server: { port: 0, host: '127.0.0.1', ws: false, watch: null } as InlineConfig['server'] &
      object,
    optimizeDeps: { noDiscovery: true },
  })
  await server.listen()
  return server
}

/** Asks for a path as it is spelled; a connection that is cut is an answer with the status 0. */
function get(port: number, path: string): Promise<{ status: number; body: string }> {
  return new Promise((done) => {
    const cut = () => done({ status: 0, body: '' })
    const asked = request(
      { port, host: '127.0.0.1', path, headers: { accept: '*/*' } },
      (response) => {
        let body = ''
        response.setEncoding('latin1')
        response.on('data', (chunk: string) => void (body += chunk))
        response.on('end', () => done({ status: response.statusCode!, body }))
        response.on('error', cut)
      },
    )
    asked.on('error', cut)
    asked.end()
  })
}

async function withEnv<T>(env: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const before = { ...process.env }
  Object.assign(process.env, env)
  try {
    return await work()
  } finally {
    for (const name of Object.keys(env))
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
  }
}

test.run()
