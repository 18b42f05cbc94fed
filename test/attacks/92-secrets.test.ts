import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { BuildFailure } from 'esbuild'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import {
  codeOf,
  filesIn,
  manifestsIn,
  outcomeOf,
  saysSecret,
  attackedVites,
  type ViteName,
} from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { atEnd, buildByEsbuild } from '../support/esbuild.ts'
import { buildFixture } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { newPublisher } from './signed.ts'

// Every way of publishing a key, on every Vite, is in test/bundlers/keys.test.ts.

const password = 'correct horse battery staple'
const ways: Record<string, string> = {
  'a text': 'import k from "../release.key?raw"; console.log(k)',
  'an asset': 'import k from "../release.key?url"; console.log(k)',
  'an asset by new URL': 'console.log(new URL("../release.key", import.meta.url).href)',
  'a glob': 'console.log(import.meta.glob("../*.key", { query: "?raw", eager: true }))',
}
const html = '<script type="module" src="/src/main.js"></script>'
const variants = attackedVites.flatMap((vite) => Object.keys(ways).map((way) => `${vite}, ${way}`))

attack(92, 'the private key in the output', { variants }, async (variant) => {
  const [vite, way] = variant.split(', ') as [ViteName, string]
  const { privateKey } = await newPublisher()
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const files = { 'index.html': html, 'src/main.js': ways[way]!, 'release.key': pem }
  const error = await outcomeOf(
    buildFixture(files, {
      vite,
      plugins: [signedImp('release.key')],
      config: { logLevel: 'silent' },
    }),
  )
  assert.is(codeOf(error), 'ERR_SIGNEDIMP_KEY_EXPOSED')
  assert.not.ok(saysSecret(`${error.message}${error.stack}`, [pem.split('\n')[1]!]))
  return `refused ${codeOf(error)}`
})

attack(
  92,
  'the key or its password in logs, source maps or a cache',
  { variants: attackedVites },
  async (variant) => {
    const { privateKey } = await newPublisher()
    const pem = privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: password,
    }) as string
    const plain = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
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
    const files = { 'index.html': html, 'src/main.js': 'import.meta.env', 'release.key': pem }
    const dir = await buildFixture(files, {
      vite: variant as ViteName,
      plugins: [signedImp('release.key', { password })],
      config: { customLogger, logLevel: 'info', build: { sourcemap: true } },
    })
    const root = dirname(dir)
    const texts = filesIn(root)
      .filter((path) => path !== 'release.key')
      .map((path) => readFileSync(join(root, path), 'utf8'))
    const secrets = [password, ...pem.split('\n').slice(1, -2), plain.split('\n')[1]!]
    for (const text of [...texts, ...said]) assert.not.ok(saysSecret(text, secrets))
    assert.ok(said.length > 0)
    return 'ok neither is anywhere'
  },
)

/** Loaders that put a file into the output of esbuild, as it is or encoded. */
const loaders = [
  'text',
  'file',
  'copy',
  'base64',
  'dataurl',
  'binary',
  'a page',
  'a copy',
  'a copy later',
  'in its folder',
  'under another name',
  'a source map',
] as const

attack(92, 'the private key in the output of esbuild', { variants: loaders }, async (way) => {
  const { privateKey } = await newPublisher()
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const root = scratchFolder()
  const copyTo = join(root, 'dist/copy.txt')
  const copy = atEnd(() => {
    mkdirSync(dirname(copyTo), { recursive: true })
    copyFileSync(join(root, 'release.key'), copyTo)
  })
  const isLoader = loaders.indexOf(way as 'text') < 6
  const source = way === 'under another name' ? './other.txt' : '../release.key'
  const main =
    isLoader || way.startsWith('under') ? `import k from "${source}"; console.log(k)` : '1'
  const building = buildByEsbuild(
    {
      'index.html': way === 'a page' ? html.replace('</script>', `</script><pre>${pem}`) : html,
      'src/main.js': way === 'a source map' ? `/* ${pem} */ console.log(1)` : main,
      'src/other.txt': pem,
      [way === 'in its folder' ? 'dist/release.key' : 'release.key']: pem,
    },
    {
      root,
      key: way === 'in its folder' ? 'dist/release.key' : 'release.key',
      before: way === 'a copy' ? [copy] : [],
      behind: way === 'a copy later' ? [copy] : [],
      config: {
        metafile: true,
        sourcemap: way === 'a source map',
        loader: { '.key': isLoader ? (way as 'text') : 'text', '.txt': 'text' },
      },
    },
  )
  const error = (await outcomeOf(building)) as BuildFailure
  assert.is(codeOf(error), 'ERR_SIGNEDIMP_KEY_EXPOSED')
  const said = `${error.message}${error.stack}${JSON.stringify(error.errors)}`
  assert.not.ok(saysSecret(said, [pem.split('\n')[1]!]))
  assert.equal(manifestsIn(join(root, 'dist')), [])
  return `refused ${codeOf(error)}`
})

attack(
  92,
  'the key or its password in the logs, source maps or metafile of esbuild',
  {},
  async () => {
    const { privateKey } = await newPublisher()
    const plain = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const cipher = { cipher: 'aes-256-cbc', passphrase: password }
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem', ...cipher }) as string
    const { dir, result } = await buildByEsbuild(
      {
        'index.html': html,
        'src/main.js': 'import("./lazy.js")',
        'src/lazy.js': '1',
        'release.key': pem,
      },
      { key: 'release.key', signed: { password }, config: { metafile: true, sourcemap: true } },
    )
    const texts = filesIn(dir).map((path) => readFileSync(join(dir, path), 'utf8'))
    const secrets = [password, ...pem.split('\n').slice(1, -2), plain.split('\n')[1]!]
    assert.ok(texts.length > 6)
    for (const text of [...texts, JSON.stringify(result)]) assert.not.ok(saysSecret(text, secrets))
    return 'ok neither is anywhere'
  },
)

attack(
  93,
  'a key file that does not open, in a build of esbuild',
  { variants: ['wrong password', 'no password', 'cut', 'changed'] },
  async (variant) => {
    const { privateKey } = await newPublisher()
    const cipher = { cipher: 'aes-256-cbc', passphrase: password }
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem', ...cipher }) as string
    const at = pem.indexOf('\n', 40) + 30
    const spoilt: Record<string, string> = {
      cut: pem.slice(0, at) + pem.slice(pem.lastIndexOf('\n-----END')),
      changed: pem.slice(0, -60) + (pem.at(-60) === 'A' ? 'B' : 'A') + pem.slice(-59),
    }
    const said = { 'wrong password': { password: 'another' }, 'no password': {} }[variant]
    const root = scratchFolder()
    const building = buildByEsbuild(
      { 'index.html': html, 'src/main.js': '1', 'release.key': spoilt[variant] ?? pem },
      { root, key: 'release.key', signed: said ?? { password } },
    )
    const error = (await outcomeOf(building)) as BuildFailure
    assert.match(codeOf(error)!, /^ERR_SIGNEDIMP_(KEY|PASSWORD)$/)
    const all = `${error.message}${error.stack}${JSON.stringify(error.errors)}`
    assert.not.ok(saysSecret(all, [password, pem.split('\n')[1]!]))
    assert.equal(manifestsIn(join(root, 'dist')), [])
    return `refused ${codeOf(error)}`
  },
)

attacks.run()
