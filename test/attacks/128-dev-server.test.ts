import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { codeOf, outcomeOf, saysSecret, attackedVites, type ViteName } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { esbuildOptionsOf } from '../support/esbuild.ts'
import { buildFixture, writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { newPublisher } from './signed.ts'

const html = '<script type="module" src="/src/main.js"></script>'

// Many more spellings in test/bundlers/keys.test.ts.
const spellings = (folder: string) => [
  '/release.key',
  '/release.key?raw',
  '/release.key?import&raw',
  '/release.key?url&inline',
  '/release.ke%79',
  '/release%2ekey',
  '/release.ke%79?%',
  '/%72elease.key?import&raw&%zz',
  '/RELEASE.KEY',
  '/src/../release.key',
  `/@fs${folder}/release.key`,
  `/@fs${folder}/release.ke%79?raw&%`,
]

attack(128, 'GET of the key from a dev server', { variants: attackedVites }, async (variant) => {
  const { privateKey } = await newPublisher()
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const folder = scratchFolder()
  await writeFiles(folder, { 'index.html': html, 'src/main.js': '1', 'release.key': pem })
  const { createServer } = (await import(variant)) as typeof import('vite')
  const server = await createServer({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    cacheDir: join(scratchFolder(), 'cache'),
    plugins: [signedImp('release.key') as never],
    server: { port: 0, host: '127.0.0.1', ws: false, watch: null } as never,
    optimizeDeps: { noDiscovery: true },
  })
  await server.listen()
  try {
    const { port } = server.httpServer!.address() as AddressInfo
    for (const path of spellings(folder)) {
      const { status, body } = await get(port, path)
      assert.not.ok(saysSecret(body, [pem.split('\n')[1]!]), `${status} ${path}`)
    }
    assert.is((await get(port, '/src/main.js')).status, 200)
    return 'refused 403 by the dev server'
  } finally {
    await server.close()
  }
})

function get(port: number, path: string): Promise<{ status: number; body: string }> {
  return new Promise((done) => {
    const cut = () => done({ status: 0, body: '' })
    const asked = request({ port, host: '127.0.0.1', path }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => void (body += chunk.toString('latin1')))
      response.on('end', () => done({ status: response.statusCode!, body })).on('error', cut)
    })
    asked.on('error', cut).end()
  })
}

const variants = attackedVites.flatMap((vite) =>
  ['public', 'dist'].map((folder) => `${vite}, ${folder}`),
)

attack(128, 'a key in a folder that is published', { variants }, async (variant) => {
  const [vite, folder] = variant.split(', ') as [ViteName, string]
  const { privateKey } = await newPublisher()
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const files = { 'index.html': html, 'src/main.js': '1', [`${folder}/release.key`]: pem }
  const building = buildFixture(files, {
    vite,
    plugins: [signedImp(`${folder}/release.key`)],
    config: { logLevel: 'silent', build: { emptyOutDir: false } },
  })
  const code = codeOf(await outcomeOf(building))
  assert.is(code, 'ERR_SIGNEDIMP_KEY_EXPOSED')
  return `refused ${code}`
})

const served = { dist: 'only the output', '.': 'the whole project' }

// Plugins are not told of a server, and nothing of what they do to files reaches it.
attack(
  128,
  'GET of the key and of chunks from the server of esbuild',
  { variants: Object.values(served) },
  async (variant) => {
    const { privateKey } = await newPublisher()
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const folder = scratchFolder()
    const files = {
      'index.html': html,
      'src/main.js': 'globalThis.ranUnsigned = true',
      'release.key': pem,
    }
    await writeFiles(folder, { 'package.json': '{"name":"fixture"}', ...files })
    const { context } = await import('esbuild')
    const session = await context(await esbuildOptionsOf(folder, files, { key: 'release.key' }))
    const isProject = variant === served['.']
    const servedir = join(folder, isProject ? '.' : 'dist')
    const { port } = await session.serve({ host: '127.0.0.1', port: 0, servedir })
    try {
      const chunk = await get(port, isProject ? '/dist/assets/index.js' : '/assets/index.js')
      assert.match(chunk.body, 'ranUnsigned')
      await writeFiles(folder, { 'got.mjs': chunk.body })
      const failure = await import(pathToFileURL(join(folder, 'got.mjs')).href).catch(
        ({ message }) => message,
      )
      assert.match(failure, 'signedimp:')
      assert.match(chunk.body, 'signedimp:not-signed')
      assert.not.ok('ranUnsigned' in globalThis)
      const { status, body } = await get(port, '/release.key')
      assert.is(saysSecret(body, [pem.split('\n')[1]!]), isProject)
      assert.is(status, isProject ? 200 : 404)
    } finally {
      await session.dispose()
    }
    return isProject
      ? 'documented limit: that server hands out every file of a folder that it is given; keep the key elsewhere'
      : 'ok there is no key, and what is not signed does not run'
  },
)

attacks.run()
