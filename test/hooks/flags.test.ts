import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { flagsWith, isPreload, refuseVariables } from '../../src/hooks/flags.ts'
import { throwsCode } from '../support/throws.ts'

// Which flags and variables a child is given, beside the one that loads the hooks.

const ours = ['--import', 'ours']

/** Flags of a child of a process that has some itself. */
function flagsOf(own: string[], given?: unknown): string[] {
  const { execArgv } = process
  process.execArgv = own
  try {
    return flagsWith(given, '--import', 'ours')
  } finally {
    process.execArgv = execArgv
  }
}

const loading = [
  ['-r', 'x.cjs'],
  ['--require', 'x.cjs'],
  ['--require=x.cjs'],
  ['--import', 'x.mjs'],
  ['--import=x.mjs'],
  ['--preload', 'x.js'],
  ['--loader=x.mjs'],
  ['--experimental-loader', 'x.mjs'],
  ['--experimental_loader=x.mjs'],
  ['--env-file', '.env'],
  ['--env-file=.env'],
  ['--env-file-if-exists=.env'],
  ['--experimental-config-file=x.json'],
  ['--experimental-default-config-file'],
  ['--config=bunfig.toml'],
  ['-c', 'bunfig.toml'],
]

for (const flags of loading)
  test(`${flags.join(' ')} is not passed on, and refused where a program says it`, async () => {
    assert.equal(flagsOf([...flags, '--trace-gc']), [...ours, '--trace-gc'])
    assert.equal(flagsOf(flags, [...flags, '--trace-gc']), [...ours, '--trace-gc'])
    await throwsCode(() => flagsOf([], ['--trace-gc', ...flags]), 'ERR_SIGNEDIMP_UNLISTED')
  })

test('other flags are passed on', () => {
  const flags = [
    '--conditions',
    'development',
    '--max-old-space-size=64',
    '-C',
    'x',
    '--report-on-signal',
  ]
  assert.equal(flagsOf(flags), [...ours, ...flags])
  assert.equal(flagsOf(['--trace-gc'], flags), [...ours, ...flags])
  assert.equal(flagsOf(['--trace-gc'], []), ours)
})

test('a flag of the process is told from what only looks like one', () => {
  assert.ok(isPreload('-r'))
  for (const flag of ['-c', '-C', '--report-on-signal', 'require', '--redirect-warnings=x'])
    assert.not.ok(isPreload(flag), flag)
})

for (const name of ['NODE_OPTIONS', 'BUN_OPTIONS'])
  test(`${name} of a child loads nothing`, async () => {
    for (const flags of loading) {
      const value = `--trace-gc ${flags.join(' ')}`
      await throwsCode(() => refuseVariables({ [name]: value }), 'ERR_SIGNEDIMP_UNLISTED')
    }
    for (const value of ['"--require" x', '"-\\r" x', '\\'])
      await throwsCode(() => refuseVariables({ [name]: value }), 'ERR_SIGNEDIMP_UNLISTED')
    for (const value of ['', ' ', '--trace-gc', '--max-old-space-size=64 --report-on-signal'])
      refuseVariables({ [name]: value })
  })

test('variables that are not there, and others, are left alone', () => {
  refuseVariables({})
  refuseVariables({ PATH: '--require x', NODE_OPTIONS: undefined })
  refuseVariables({ NODE_OPTIONS: process.env.NODE_OPTIONS })
})

test.run()
