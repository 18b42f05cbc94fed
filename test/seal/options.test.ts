import { readdirSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { publicKeyPem, toTrustedKey } from '../../src/keys/public.ts'
import type { SealOptions, SealReport } from '../../src/seal/types.ts'
import { carrierOf, elementsOf } from '../emit/emitted.ts'
import { throwsCode } from '../support/throws.ts'
import { readFrom } from '../tree/folder.ts'
import { folder, seal, sealDirectory, type Files } from './sealed.ts'

// Each option of the plugin does to a folder what it does to a build, or is refused.

const other = toTrustedKey(await generateKey('ecdsa-p256'))
const rsa = await generateKey('rsa-pss')
const encrypted = rsa
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
  .toString()
const external = { 'https://cdn.example/x.js': `sha256-${'A'.repeat(43)}=` }

/** What there is to see of a seal. */
interface Sealed {
  report: SealReport
  html: string
  /** Attributes of the bootstrap's tag. */
  attributes: Record<string, string>
  manifest: string
  names: string[]
  read(name: RegExp): string
}

async function sealed(options: SealOptions, files: Files = {}): Promise<Sealed> {
  const dir = await folder(files)
  const report = await seal(dir, options)
  const html = readFrom(dir, 'index.html')
  const names = readdirSync(dir)
  return {
    report,
    html,
    attributes: carrierOf(html)!.attributes,
    manifest: readFrom(dir, report.manifest),
    names,
    read: (name) => readFrom(dir, names.find((one) => name.test(one)) ?? ''),
  }
}

/** By option: a value, what it does, and files that it needs. */
const effects: Record<
  string,
  [options: SealOptions, isDone: (sealed: Sealed) => boolean, files?: Files]
> = {
  password: [{ key: encrypted, password: 'secret' }, ({ report }) => !report.oneTimeKey],
  keys: [
    { keys: [publicKeyPem(other)] },
    ({ report }) => report.fingerprints.includes(other.fingerprint),
  ],
  threshold: [
    { keys: [publicKeyPem(other)], threshold: 2 },
    ({ html, report }) => report.threshold === 2 && html.includes('threshold:2'),
  ],
  hash: [{ hash: 'sha384' }, ({ manifest }) => manifest.includes('\n\nsha384\n')],
  manifest: [{ manifest: 'list.txt' }, ({ names }) => names.includes('list.txt')],
  name: [{ name: 'other' }, ({ attributes }) => attributes['data-name'] === 'other'],
  build: [{ build: 41 }, ({ attributes }) => attributes['data-build'] === '41'],
  expires: [
    { expires: new Date('2090-01-01') },
    ({ manifest }) => manifest.includes('\n# expires: 2090-01-01T00:00:00Z\n'),
  ],
  inline: [{ inline: false }, ({ attributes }) => /signedimp-\w{16}\.js$/.test(attributes['src']!)],
  tags: [
    { tags: true },
    ({ attributes }) => attributes['data-tags']!.startsWith('signedimp-tags-'),
  ],
  pure: [{ key: rsa, pure: true }, ({ report }) => report.pure],
  remember: [{ build: 1, remember: true }, ({ html }) => html.includes('remember:')],
  workersFirst: [
    { workersFirst: true },
    ({ read }) => read(/^signedimp-workers-/).includes('"first":true'),
    {
      'assets/main.js': 'import"./dep.js";import("./lazy.js");new Worker("/assets/w.js")',
      'assets/w.js': 'onmessage=()=>postMessage(1)',
    },
  ],
  headers: [
    { headers: ['_headers'] },
    ({ names, read, report }) =>
      names.includes('_headers') && read(/^_headers$/).includes(report.bootstrap.integrity),
  ],
  external: [
    { external },
    ({ report, attributes }) =>
      report.external.length === 1 && attributes['data-map']!.includes('cdn.example'),
    { 'assets/lazy.js': 'import"https://cdn.example/x.js"' },
  ],
  fallback: [
    { fallback: 'Ask us.' },
    ({ html }) => elementsOf(html).some(({ name, text }) => name === 'p' && text === 'Ask us.'),
  ],
  reportTo: [
    { reportTo: '/reports' },
    ({ attributes }) => attributes['data-report'] === '/reports',
  ],
  unverified: [
    { unverified: ['sw.js'] },
    ({ report }) => report.unverified[0]!.name === 'sw.js',
    { 'sw.js': 'onfetch=()=>{}' },
  ],
  resources: [
    { resources: ['data.json'] },
    ({ read }) => read(/^signedimp-fetch-/).includes('data\\\\.json'),
    { 'data.json': '[]' },
  ],
}

for (const [name, [options, isDone, files]] of Object.entries(effects))
  test(`a seal heeds "${name}"`, async () => {
    const { [name]: _, ...without } = options as Record<string, unknown>
    assert.ok(isDone(await sealed(options, files)))
    const isDoneToo = await sealed(without, files)
      .then(isDone)
      .catch(() => false)
    assert.not.ok(isDoneToo, 'without the option too')
  })

test('there is no other option but those of builds, which are refused', async () => {
  const dir = await folder()
  const unknown = await sealDirectory(dir, { color: 'red' } as never).catch(
    ({ message }) => message,
  )
  const [, list] = /must be one of (.+);/.exec(unknown)!
  const left = list!.split(', ').filter((name) => !Object.hasOwn(effects, name))
  assert.equal(left, ['html', 'policy', 'server', 'mode'])
  for (const name of left) {
    const error = await sealDirectory(dir, { [name]: undefined } as never).catch((caught) => caught)
    assert.instance(error, TypeError)
    assert.match(error.message, `"${name}" is an option of the plugin, and none of a seal`)
  }
})

test('a folder that is sealed with other options is not taken for sealed', async () => {
  // The first opens a key, and a folder that needs the others is not sealed without.
  const left = ['password', 'unverified', 'external']
  for (const [name, [options, , files]] of Object.entries(effects)) {
    if (left.includes(name)) continue
    const dir = await folder(files)
    await seal(dir)
    const { message } = await throwsCode(() => seal(dir, options), 'ERR_SIGNEDIMP_OUTPUT')
    assert.match(message, new RegExp(`is of a seal already, with another [^;]*\\b${name}\\b`))
  }
})

test.run()
