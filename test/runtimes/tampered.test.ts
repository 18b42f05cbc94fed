import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lazy } from '../support/readme-app.ts'
import {
  copyOf,
  flip,
  kindOf,
  refusedIn,
  reportOf,
  runProgram,
  servers,
  signKinds,
  untouched,
  type Program,
} from '../support/server-program.ts'
import type { Runtime } from '../support/runtimes.ts'
import { skip } from '../support/skip.ts'

// A program with every kind of module, in every runtime: as it was signed it does what it does anywhere, and of each
// file one flipped byte is refused, by itself, and never evaluated.

const program = lazy(signKinds)

const isDeno = (runtime: Runtime) => kindOf(runtime) === 'deno'

/** Kinds by the file whose byte is flipped: what is refused then, and nothing else. */
const flips: Record<string, string[]> = {
  'dynamic.mjs': ['dynamic', 'query'],
  'common.cjs': ['common'],
  'nested.js': ['common'],
  'imported.cjs': ['imported'],
  'data.json': ['json'],
  'more.json': ['jsonImport'],
  'required.mjs': ['required'],
  'detected.js': ['detected'],
  'described/package.json': ['described'],
  'described/module.js': ['described'],
  'folder/package.json': ['folder'],
  'folder/entry.js': ['folder'],
  'code.wasm': ['wasm'],
  'addon.node': ['addon'],
  'worker.mjs': ['worker'],
  'worker-part.mjs': ['worker'],
  'child.mjs': ['fork'],
  'child-part.mjs': ['fork'],
}

for (const runtime of servers) {
  if (runtime.missing) {
    skip(test, `${runtime.name}: tampered programs`, runtime.missing)
    continue
  }
  test(`${runtime.name}: a program that nobody changed runs`, async () => {
    const report = reportOf(runProgram(runtime, await program()))
    assert.equal(report, { ...untouched, ...refusedIn(runtime) })
  })

  for (const [file, kinds] of Object.entries(flips))
    test(`${runtime.name}: one byte of ${file} is flipped`, async () =>
      refuses(runtime, await program(), file, kinds))

  for (const file of ['main.mjs', 'static.mjs'])
    test(`${runtime.name}: one byte of ${file} is flipped, and nothing starts`, async () => {
      const changed = copyOf(await program())
      flip(changed, file)
      const { status, stdout, stderr } = runProgram(runtime, changed)
      assert.is(status, 1, stderr)
      assert.is(stdout, '')
      const said = `ERR_SIGNEDIMP_CHANGED ${file}: other bytes than the signed ones\n`
      // What Deno says of a module that it cannot load, hooks cannot change.
      assert.is(stderr, (isDeno(runtime) ? 'error: SignedImpError: ' : 'signedimp: ') + said)
    })
}

async function refuses(runtime: Runtime, whole: Program, file: string, kinds: string[]) {
  const changed = copyOf(whole)
  flip(changed, file)
  const report = reportOf(runProgram(runtime, changed, { args: ['main', ...kinds] }))
  const refused = Object.fromEntries(kinds.map((kind) => [kind, expectedOf(runtime, kind)]))
  assert.equal(report, { main: untouched.main, ...refused })
}

/** A child that may not start ends; of the others, whoever loads them hears why. */
function expectedOf(runtime: Runtime, kind: string): string {
  const isNeverStarted = kind === 'worker' || kind === 'fork'
  const always = isNeverStarted ? refusedIn(runtime)[kind] : undefined
  return always ?? (kind === 'fork' ? 'ended 1' : 'ERR_SIGNEDIMP_CHANGED')
}

// Without hooks, what was flipped runs: the flips are no damage by which a file would fail anyway.
test('without hooks, the flipped bytes run', async () => {
  const changed = copyOf(await program())
  for (const file of ['main.mjs', 'static.mjs', ...Object.keys(flips)]) flip(changed, file)
  const runtime = servers.find(
    (one) => kindOf(one) === 'node' && /22|24|26/.test(one.name) && !one.missing,
  )
  const report = reportOf(runProgram(runtime ?? servers[0]!, changed, { isPlain: true }))
  const expected = Object.fromEntries(
    Object.entries(untouched).map(([kind, text]) => [kind, text.replaceAll('0', '1')]),
  )
  assert.equal({ ...report, wasm: '' }, { ...expected, wasm: '' })
})

test.run()
