import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serve } from '../../playground/server.ts'
import { splitManifest } from '../../src/manifest/verify.ts'
import { inEngines } from '../support/browsers.ts'
import { sha256, writeInto } from '../tree/folder.ts'
import { jsonOf, signedimp } from './run.ts'
import { signedApp } from './workplace.ts'

const manifest = 'signedimp-manifest.txt'

/** A signed app, and what exports it. */
async function workplace() {
  const { cwd, a } = await signedApp()
  writeInto(cwd, 'dist/assets/a.js', 'globalThis.ran = true')
  writeInto(cwd, 'dist/assets/a.js.map', '{}')
  const run = (...args: string[]) => signedimp(args, { cwd })
  assert.is(run('sign', 'dist', '--key', 'a.key').status, 0)
  const as = (form: string, ...args: string[]) =>
    run('export', 'dist', '--as', form, '--key', 'a.key.pub', ...args)
  return { cwd, a, run, as }
}

const integrityOf = (bytes: Uint8Array): string =>
  `sha384-${createHash('sha384').update(bytes).digest('base64')}`

test('--as integrity gives the integrity of each file by its path', async () => {
  const { cwd, run, as } = await workplace()
  const { status, stdout, stderr } = as('integrity')
  assert.is(status, 0, stderr)
  const list = JSON.parse(stdout)
  assert.equal(Object.keys(list), ['assets/a.js', 'assets/a.js.map', 'index.html'])
  for (const [path, integrity] of Object.entries(list))
    assert.is(integrity, integrityOf(readFileSync(join(cwd, 'dist', path))))
  const file = as('integrity', '--out', 'integrity.json')
  assert.equal([file.status, file.stdout], [0, 'integrity  integrity.json\n'])
  assert.is(readFileSync(join(cwd, 'integrity.json'), 'utf8'), stdout)
  run('sign', 'dist', '--key', 'a.key', '--hash', 'sha384')
  assert.is(as('integrity').stdout, stdout)
  rmSync(join(cwd, 'dist/assets/a.js.map'))
  assert.equal(Object.keys(JSON.parse(as('integrity').stdout)), ['assets/a.js', 'index.html'])
})

test('a zip file is exported as a folder is', async () => {
  const { cwd, run, as } = await workplace()
  execFileSync('zip', ['-qr', '../app.zip', '.'], { cwd: join(cwd, 'dist') })
  for (const form of ['integrity', 'in-toto']) {
    const zip = run('export', 'app.zip', '--as', form, '--key', 'a.key.pub')
    assert.equal([zip.status, zip.stdout], [0, as(form).stdout])
  }
})

const text = { type: 'string', minLength: 1 }
const digests = Object.fromEntries(
  (
    [
      ['sha256', 64],
      ['sha384', 96],
      ['sha512', 128],
    ] as const
  ).map(([type, length]) => [type, { type: 'string', pattern: `^[0-9a-f]{${length}}$` }]),
)

/** What https://github.com/in-toto/attestation/blob/main/spec/v1/ asks of a Statement, and what we say in one. */
const statementSchema = {
  type: 'object',
  required: ['_type', 'subject', 'predicateType'],
  additionalProperties: false,
  properties: {
    _type: { const: 'https://in-toto.io/Statement/v1' },
    subject: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['name', 'digest'],
        additionalProperties: false,
        properties: {
          name: text,
          digest: {
            type: 'object',
            minProperties: 1,
            additionalProperties: false,
            properties: digests,
          },
        },
      },
    },
    // A TypeURI: scheme and host in lower case, with a version.
    predicateType: { type: 'string', pattern: '^https://[a-z.]+/\\S*v\\d+(\\.\\d+)?$' },
    predicate: { type: 'object' },
  },
}

test('--as in-toto gives a Statement of version 1, by the published specification', async () => {
  const { cwd, a, run, as } = await workplace()
  for (const hash of ['sha256', 'sha512']) {
    run('sign', 'dist', '--key', 'a.key', '--hash', hash)
    const { status, stdout, stderr } = as('in-toto')
    assert.is(status, 0, stderr)
    assert.match(stderr, 'EXPERIMENTAL: its predicate may change. Nobody has signed the statement')
    const statement = JSON.parse(stdout)
    const ajv = new Ajv()
    assert.ok(ajv.validate(statementSchema, statement), ajv.errorsText())
    const names = statement.subject.map(({ name }: { name: string }) => name)
    assert.equal(names, ['assets/a.js', 'assets/a.js.map', 'index.html'])
    for (const { name, digest } of statement.subject) {
      const bytes = readFileSync(join(cwd, 'dist', name))
      for (const type of new Set(['sha256', hash]))
        assert.is(digest[type], createHash(type).update(bytes).digest('hex'))
      assert.equal(Object.keys(digest), [...new Set(['sha256', hash])])
    }
    const { signedText } = splitManifest(readFileSync(join(cwd, 'dist', manifest)))
    assert.equal(statement.predicate, {
      name: 'shop',
      build: 7,
      manifest: { name: manifest, hash, signedText: { sha256: sha256(signedText) } },
      signers: [a],
    })
  }
})

test('help and output say what is experimental', async () => {
  const { run, as } = await workplace()
  assert.match(run('export', '--help').stdout, /in-toto: [^\n]*EXPERIMENTAL/)
  const report = jsonOf(as('in-toto', '--json'))
  assert.equal([report.experimental, report.as], [true, 'in-toto'])
  assert.is(report.content._type, 'https://in-toto.io/Statement/v1')
  assert.is(jsonOf(as('integrity', '--json')).experimental, false)
})

test('what is not as signed is not exported, and nothing is written', async () => {
  const { cwd, run, as } = await workplace()
  const refused = (code: string | undefined, status: number, ...args: string[]) => {
    for (const form of ['integrity', 'in-toto']) {
      const result = as(form, '--out', 'out.json', '--json', ...args)
      assert.equal([result.status, jsonOf(result).error.code], [status, code])
      assert.not.ok(existsSync(join(cwd, 'out.json')))
    }
  }
  refused('ERR_SIGNEDIMP_NAME', 1, '--name', 'bank')
  refused('ERR_SIGNEDIMP_ROLLBACK', 1, '--build', '8')
  refused(undefined, 2, '--threshold', '2')
  const inside = as('integrity', '--out', 'dist/out.json')
  assert.equal([inside.status, existsSync(join(cwd, 'dist/out.json'))], [2, false])
  assert.match(inside.stderr, '--out must name a file outside of the folder')
  assert.match(run('export', 'dist', '--key', 'a.key.pub').stderr, '--as is missing')
  assert.is(as('spdx').status, 2)
  writeInto(cwd, 'dist/new.js', 'evil')
  refused('ERR_SIGNEDIMP_FILES', 1)
  rmSync(join(cwd, 'dist/new.js'))
  writeInto(cwd, 'dist/assets/a.js', 'globalThis.evil = true')
  refused('ERR_SIGNEDIMP_FILES', 1)
  writeInto(cwd, 'dist/assets/a.js', 'globalThis.ran = true')
  assert.is(as('integrity').status, 0)
  const stored = readFileSync(join(cwd, 'dist', manifest), 'utf8')
  writeFileSync(join(cwd, 'dist', manifest), stored.replace('# build: 7', '# build: 8'))
  refused('ERR_SIGNEDIMP_SIGNATURE', 1)
  run('unsign', 'dist')
  refused('ERR_SIGNEDIMP_SIGNATURE', 1)
})

inEngines(test, 'browsers obey the exported integrity', async (page) => {
  const { cwd, as } = await workplace()
  const { 'assets/a.js': integrity } = JSON.parse(as('integrity').stdout)
  writeInto(cwd, 'dist/index.html', `<script src="/assets/a.js" integrity="${integrity}"></script>`)
  const site = await serve(join(cwd, 'dist'))
  const ran = () => page.evaluate(() => (globalThis as { ran?: boolean }).ran === true)
  try {
    await page.goto(site.url)
    assert.is(await ran(), true)
    writeInto(cwd, 'dist/assets/a.js', 'globalThis.ran = true ')
    await page.goto(site.url)
    assert.is(await ran(), false)
  } finally {
    await site.close()
  }
})

test.run()
