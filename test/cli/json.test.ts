import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serve } from '../../playground/server.ts'
import { root } from '../support/files.ts'
import { lazy } from '../support/readme-app.ts'
import { app } from '../seal/sealed.ts'
import { scratchFolder } from '../support/processes.ts'
import { writeInto } from '../tree/folder.ts'
import { buildApp } from './later-app.ts'
import { jsonOf, signedimp, signedimpBeside, type Run } from './run.ts'
import { signedApp } from './workplace.ts'

// Every command as a process: its status, what it prints where, and its JSON by docs/cli-output.schema.json.

const schema = JSON.parse(readFileSync(join(root, 'docs/cli-output.schema.json'), 'utf8'))
const ajv = new Ajv({ schemas: { 'cli-output': schema } })

/** That a process printed one JSON object, as the schema has it, and nothing else. */
function checkJson(name: string, run: Run, status: number): void {
  assert.is(run.status, status, run.stdout + run.stderr)
  const definition = `cli-output#/definitions/${encodeURIComponent(name)}`
  const isValid = ajv.validate(definition, jsonOf(run))
  assert.ok(isValid, `${name}: ${ajv.errorsText()} in ${run.stdout}`)
}

/** What a command does, each time in a copy of the same folder. */
interface Case {
  args: string
  /** Command lines that come before. */
  after?: string[]
  /** @default 0 */
  status?: 0 | 1
  stdout: RegExp
  stderr: RegExp
  env?: Record<string, string>
}

/** How a command fails on what it looks at. */
interface Failure {
  args: string
  code: string | undefined
  status: 1 | 2
}

/** In the folder: `dist`, signed by `a.key`, and `b.key`; `plain`, which is not; `later`, a build with `html: 'later'`. */
const folder = lazy(async () => {
  const { cwd } = await signedApp()
  for (const [path, text] of Object.entries(app)) writeInto(cwd, `plain/${path}`, text)
  const { cwd: later } = await buildApp()
  cpSync(join(later, 'dist'), join(cwd, 'later'), { recursive: true })
  cpSync(join(later, 'a.key'), join(cwd, 'later.key'))
  writeInto(cwd, 'later/index.html', '<script type="module" src="main.js"></script>')
  return cwd
})

const unsigned = { code: 'ERR_SIGNEDIMP_SIGNATURE', status: 1 } as const
const detach = 'sign dist --detached --key b.key --first --name shop --never-expires --out b.sig'
const noKey = { code: 'ERR_SIGNEDIMP_KEY', status: 2 } as const

const commands: Record<string, { works: Case[]; fails: Failure[] }> = {
  keygen: {
    works: [
      {
        args: 'keygen new.key --algorithm ed25519 --no-password',
        stdout:
          /^private +new\.key\npublic +new\.key\.pub\nscheme +ed25519\nfingerprint +[0-9a-f]{64}\n$/,
        stderr: /^Keep new\.key to yourself[^]*is not encrypted/,
      },
    ],
    fails: [{ args: 'keygen a.key --no-password', ...noKey }],
  },
  'keys show': {
    works: [
      { args: 'keys show a.key', stdout: /^private +a\.key\nform +PKCS#8/, stderr: /^$/ },
      { args: 'keys show a.key.pub', stdout: /^public +a\.key\.pub\n/, stderr: /^$/ },
    ],
    fails: [{ args: 'keys show dist/index.html', ...noKey }],
  },
  'keys convert': {
    works: [
      {
        args: 'keys convert a.key a.jwk --to jwk --public',
        stdout: /^public +a\.jwk\nscheme +ed25519\nfingerprint/,
        stderr: /^$/,
      },
    ],
    fails: [{ args: 'keys convert a.key b.key', ...noKey }],
  },
  'keys password': {
    works: [
      {
        args: 'keys password a.key',
        env: { SIGNEDIMP_NEW_PASSWORD: 'a new one' },
        stdout: /^private +a\.key\nfingerprint/,
        stderr: /^Copies and backups/,
      },
    ],
    fails: [{ args: 'keys password a.key', code: 'ERR_SIGNEDIMP_PASSWORD', status: 2 }],
  },
  sign: {
    works: [
      {
        args: 'sign dist --key b.key',
        stdout: /^manifest [^]*\nkept +[0-9a-f]{64}\n$/,
        stderr: /^Signed /,
      },
      {
        args: `${detach}`,
        stdout: /^signatures +b\.sig\n$/,
        stderr: /^name [^]*which stays as it is\.\n$/,
      },
      {
        args: 'sign plain --key b.key --name shop --expires 2099-01-01T00:00:00Z --hash sha512',
        stdout: /\nexpires +2099-01-01T00:00:00Z\nhash +sha512\n/,
        stderr: /^Signed /,
      },
    ],
    fails: [
      { args: 'sign dist --key a.key.pub', ...noKey },
      {
        args: 'sign dist --key a.key --expires 2001-01-01T00:00:00Z',
        code: 'ERR_SIGNEDIMP_EXPIRED',
        status: 1,
      },
    ],
  },
  attach: {
    works: [
      {
        args: 'attach dist b.sig --key b.key.pub',
        after: [detach],
        stdout: /^manifest +signedimp-manifest\.txt\nsigner +[0-9a-f]{64}\nkept +[0-9a-f]{64}\n$/,
        stderr: /^The manifests of dist are signed/,
      },
    ],
    fails: [
      {
        args: 'attach dist dist/index.html --key a.key.pub',
        code: 'ERR_SIGNEDIMP_MANIFEST_INVALID',
        status: 1,
      },
    ],
  },
  unsign: {
    works: [
      {
        args: 'unsign dist',
        stdout: /^removed +[0-9a-f]{64}\n$/,
        stderr: /^Nobody vouches for dist/,
      },
    ],
    fails: [{ args: 'unsign dist --key b.key.pub', ...unsigned }],
  },
  rotate: {
    works: [
      {
        args: 'rotate dist --key a.key.pub --key b.key',
        stdout: /\nsigner +[0-9a-f]{64}\nadded +[0-9a-f]{64}\n$/,
        stderr: /^dist is signed by all of the keys now\.\n$/,
      },
    ],
    fails: [{ args: 'rotate dist --key b.key', ...unsigned }],
  },
  seal: {
    works: [
      {
        args: 'seal plain --key a.key --name shop',
        stdout: /^manifest [^]*\nbootstrap +'sha256-/,
        stderr: /Sealed plain/,
      },
    ],
    fails: [{ args: 'seal plain --key a.key.pub --name shop', ...noKey }],
  },
  unseal: {
    works: [
      {
        args: 'unseal plain --key a.key.pub',
        after: ['seal plain --key a.key --name shop'],
        stdout: /^restored [^]*\nremoved /,
        stderr: /^plain is as it was before/,
      },
    ],
    fails: [{ args: 'unseal plain', code: 'ERR_SIGNEDIMP_MISSING', status: 1 }],
  },
  html: {
    works: [
      {
        args: 'html later/index.html --key later.key',
        stdout: /^page +later\/index\.html\nentry [^]*\nbootstrap +'sha256-/,
        stderr: /^Signed [^]*Content-Security-Policy/,
      },
    ],
    fails: [{ args: 'html later/index.html --key b.key', ...unsigned }],
  },
  verify: {
    works: [
      {
        args: 'verify dist --key a.key.pub',
        stdout: /^name +shop\n[^]*signer +[0-9a-f]{64}\n$/,
        stderr: /^dist is as signed for "shop"/,
      },
    ],
    fails: [
      { args: 'verify dist --key b.key.pub', ...unsigned },
      { args: 'verify dist --key b.key.pub --threshold 2', code: undefined, status: 2 },
    ],
  },
  audit: {
    works: [
      {
        args: 'audit SITE --key a.key.pub',
        stdout: /^manifest +http/,
        stderr: /serves every listed file/,
      },
    ],
    fails: [
      { args: 'audit SITE --key b.key.pub', ...unsigned },
      { args: 'audit SITEnone.txt --key a.key.pub', code: 'ERR_SIGNEDIMP_MISSING', status: 1 },
    ],
  },
  diff: {
    works: [
      {
        args: 'diff dist dist',
        stdout: /^0 added, 0 removed, 0 changed\n$/,
        stderr: /^Nobody checked/,
      },
      {
        args: 'diff dist plain',
        status: 1,
        stdout: /\nadded +[^]*\d+ added/,
        stderr: /^Nobody checked/,
      },
    ],
    fails: [
      { args: 'diff dist dist/index.html', code: 'ERR_SIGNEDIMP_MANIFEST_INVALID', status: 1 },
    ],
  },
  show: {
    works: [
      {
        args: 'show dist',
        stdout: /^NOT VERIFIED: [^]*\nsignature +[0-9a-f]{64} ed25519\n$/,
        stderr: /^$/,
      },
      {
        args: 'show dist/signedimp-manifest.txt --files',
        stdout: /^NOT VERIFIED: [^]* index\.html\n$/,
        stderr: /^$/,
      },
    ],
    fails: [{ args: 'show plain', code: 'ERR_SIGNEDIMP_MISSING', status: 1 }],
  },
  graph: {
    works: [
      {
        args: 'graph dist --key a.key.pub --html graph.html',
        stdout: /^page +graph\.html\n$/,
        stderr: /^dist is as signed/,
      },
    ],
    fails: [{ args: 'graph dist --key b.key.pub', ...unsigned }],
  },
  export: {
    works: [
      {
        args: 'export dist --as integrity --key a.key.pub',
        stdout: /^\{\n {2}"assets\/a\.js": "sha384-/,
        stderr: /^dist is as signed/,
      },
      {
        args: 'export dist --as in-toto --key a.key.pub --out s.json',
        stdout: /^in-toto +s\.json\n$/,
        stderr: /EXPERIMENTAL/,
      },
    ],
    fails: [{ args: 'export dist --as in-toto --key b.key.pub', ...unsigned }],
  },
  bootstrap: {
    works: [
      {
        args: 'bootstrap --key a.key.pub --name shop --format cjs',
        stdout: /exports/,
        stderr: /^$/,
      },
    ],
    fails: [
      { args: 'bootstrap --key a.key.pub --name shop --threshold 2', code: undefined, status: 2 },
    ],
  },
}

test('these are all commands, and the schema has each', () => {
  const { stdout } = signedimp(['--help'], { cwd: scratchFolder() })
  const [, list] = stdout.split(/^COMMANDS$/m)
  const named = [...list!.matchAll(/^ +([a-z]+(?: [a-z]+)?) {2,}/gm)].map(([, name]) => name)
  assert.equal(named.sort(), Object.keys(commands).sort())
  const defined = Object.keys(schema.definitions).filter(
    (name) => !/^(fingerprint|error)$/.test(name),
  )
  assert.equal(defined.sort(), Object.keys(commands).sort())
})

/** Runs command lines, the last of which counts, in a copy of the folder. */
async function runIn(lines: string[], env: Record<string, string> = {}): Promise<Run> {
  const cwd = scratchFolder()
  cpSync(await folder(), cwd, { recursive: true })
  const site = await serve(join(cwd, 'dist'))
  try {
    let run: Run | undefined
    for (const line of lines) {
      const args = line.replace('SITE', site.url).split(' ')
      run = await signedimpBeside(args, { cwd, env })
    }
    return run!
  } finally {
    await site.close()
  }
}

for (const [name, { works, fails }] of Object.entries(commands)) {
  for (const { args, after = [], status = 0, stdout, stderr, env } of works)
    test(`${args}: prints data here and words there, and JSON by its schema`, async () => {
      const run = await runIn([...after, args], env)
      assert.is(run.status, status, run.stderr)
      assert.match(run.stdout, stdout)
      assert.match(run.stderr, stderr)
      const json = await runIn([...after, `${args} --json`], env)
      checkJson(name, json, status)
      assert.is(json.stderr, '')
    })

  for (const { args, code, status } of fails)
    test(`${args}: fails with status ${status} and a code, and no stack`, async () => {
      const run = await runIn([args])
      assert.is(run.status, status, run.stderr)
      assert.match(run.stderr, /^signedimp: /)
      if (code) assert.match(run.stderr, code)
      assert.not.match(run.stderr, /^ +at /m)
      const json = await runIn([`${args} --json`])
      checkJson('error', json, status)
      assert.is(jsonOf(json).error.code, code)
    })
}

test('the schema refuses what is not in it', () => {
  const [right, more] = [
    { removed: [], kept: [] },
    { removed: [], kept: [], more: 1 },
  ]
  const unsign = 'cli-output#/definitions/unsign'
  assert.equal([ajv.validate(unsign, right), ajv.validate(unsign, more)], [true, false])
})

test.run()
