import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import {
  codeOf,
  filesIn,
  outcomeOf,
  saysSecret,
  attackedVites,
  type ViteName,
} from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildFixture } from '../support/fixture.ts'
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

attacks.run()
