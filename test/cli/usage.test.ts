import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from '../support/files.ts'
import { scratchFolder } from '../support/processes.ts'
import { jsonOf, signedimp } from './run.ts'

const cwd = scratchFolder()
const run = (...args: string[]) => signedimp(args, { cwd })

test('--version prints the version', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.equal(run('--version'), { status: 0, stdout: `${version}\n`, stderr: '' })
})

test('--help prints how to use it, on standard output and without colours', () => {
  const { status, stdout, stderr } = run('--help')
  assert.is(status, 0)
  assert.is(stderr, '')
  for (const name of ['keygen', 'sign', 'html', 'verify', 'show']) assert.match(stdout, name)
  assert.not.match(stdout, '\x1b')
})

for (const [name, flags] of [
  ['keygen', ['--algorithm', '--no-password', '--json']],
  [
    'sign',
    [
      '--key',
      '--signer',
      '--pkcs11',
      '--token',
      '--name',
      '--build',
      '--expires',
      '--hash',
      '--manifest',
      '--detached',
      '--since',
      '--first',
      '--max-step',
      '--max-days',
      '--never-expires',
      '--yes',
      '--out',
      '--format',
      '--json',
    ],
  ],
  ['keys show', ['--format', '--json']],
  ['keys convert', ['--to', '--public', '--kdf', '--no-password', '--json']],
  ['keys password', ['--kdf', '--no-password', '--json']],
  ['rotate', ['--key', '--threshold', '--manifest', '--json']],
  ['attach', ['--key', '--manifest', '--json']],
  ['unsign', ['--key', '--manifest', '--json']],
  ['audit', ['--key', '--threshold', '--name', '--build', '--concurrency', '--json']],
  ['diff', ['--json']],
  [
    'html',
    [
      '--key',
      '--dir',
      '--accept',
      '--threshold',
      '--inline',
      '--policy',
      '--pure',
      '--unverified',
      '--name',
      '--build',
      '--manifest',
      '--json',
    ],
  ],
  ['verify', ['--key', '--threshold', '--name', '--build', '--manifest', '--format', '--json']],
  ['show', ['--files', '--json']],
  [
    'export',
    ['--as', '--key', '--threshold', '--name', '--build', '--manifest', '--out', '--json'],
  ],
  ['graph', ['--key', '--threshold', '--name', '--build', '--manifest', '--html', '--json']],
  ['bootstrap', ['--key', '--name', '--threshold', '--build', '--manifest', '--format', '--json']],
] as const)
  test(`${name} --help names every flag`, () => {
    const { status, stdout, stderr } = run(...name.split(' '), '--help')
    assert.is(status, 0)
    assert.is(stderr, '')
    assert.equal(
      [...stdout.matchAll(/^ +(--[a-z\d-]+)/gm)].map(([, flag]) => flag),
      flags,
    )
  })

for (const [what, args, message] of [
  ['no command', [], 'No command'],
  ['an unknown command', ['toString'], '"toString" is no command'],
  ['an unknown flag', ['verify', 'd', '--key', 'k', '--treshold', '2'], '--treshold'],
  [
    'a flag of sign elsewhere',
    ['attach', 'd', 's', '--key', 'k', '--pkcs11', 'm'],
    '--pkcs11 is for signedimp sign',
  ],
  ['another one', ['rotate', 'd', '--key', 'k', '--signer=c'], '--signer is for signedimp sign'],
  ['a third one', ['keys', 'show', 'k', '--token', 't'], '--token is for signedimp sign'],
  ['an unknown flag beside it', ['sign', 'd', '--signer', 's', '--tokn', 't'], '--tokn'],
  ['an unknown negation', ['verify', 'd', '--key', 'k', '--no-threshold'], '--no-threshold'],
  ['an unknown short flag', ['sign', 'd', '-k', 'k'], '-k'],
  ['an argument too many', ['verify', 'd', 'e', '--key', 'k'], '"e" is one argument too many'],
  ['a missing argument', ['verify', '--key', 'k'], '<dir> is missing'],
  ['a missing flag', ['sign', 'd'], '--key is missing'],
  ['a flag without its value', ['sign', 'd', '--key'], '--key'],
  ['a flag in place of a value', ['sign', 'd', '--key', '--json'], '--key'],
  ['an empty value', ['verify', 'd', '--key', ''], '--key is empty'],
  [
    'a repeated flag',
    ['sign', 'd', '--key', 'k', '--name', 'a', '--name', 'b'],
    '--name is given twice',
  ],
  ['a value for a switch', ['show', 'd', '--json=yes'], '--json'],
  [
    'no number',
    ['verify', 'd', '--key', 'k', '--threshold', '2x'],
    '--threshold must be a whole number',
  ],
  [
    'a threshold of none',
    ['verify', 'd', '--key', 'k', '--threshold', '0'],
    '--threshold must be at least 1',
  ],
  ['an unknown choice', ['keygen', 'k', '--algorithm', 'dsa'], 'rsa-pss, ed25519, ecdsa-p256'],
] as [string, string[], string][])
  test(`${what} is a mistake in the command line`, () => {
    const { status, stdout, stderr } = run(...args)
    assert.is(status, 2)
    assert.ok(stderr.startsWith('signedimp: ') && stderr.includes(message), stderr)
    assert.match(stderr, /\nSee signedimp ([\w ]+ )?--help\n$/)
    if (!args.includes('--json')) assert.is(stdout, '')
  })

test('a mistake with --json is one JSON object', () => {
  const result = run('verify', 'nowhere', '--json')
  assert.is(result.status, 2)
  assert.equal(jsonOf(result), { error: { message: '--key is missing' } })
})

test('what stands after -- is no flag', () => {
  const { status, stderr } = run('show', '--', '--help')
  assert.is(status, 2)
  assert.match(stderr, '--help: no such file or folder')
})

test('a stack is shown to those who ask for it', () => {
  assert.not.match(run('show', 'nowhere').stderr, /^ +at /m)
  const { stderr } = signedimp(['show', 'nowhere'], { cwd, env: { SIGNEDIMP_DEBUG: '1' } })
  assert.match(stderr, /\n +at |Error: ENOENT/)
})

test.run()
