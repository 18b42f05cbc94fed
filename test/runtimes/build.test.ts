import { spawnSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { check, textIn } from '../bundlers/built.ts'
import { carrierOf } from '../emit/emitted.ts'
import { createApp, lazy } from '../support/readme-app.ts'
import { runtimes, type Runtime } from '../support/runtimes.ts'
import { skip } from '../support/skip.ts'

// The README's app, built with Vite and with esbuild and verified by each runtime, with the plugin and the command as they are published.

const app = lazy(() => createApp())
const installed: Runtime = {
  name: `node ${process.versions.node}`,
  command: [process.execPath],
  missing: undefined,
}

/** What builds the app. */
const scripts = { vite: ['node_modules/vite/bin/vite.js', 'build'], esbuild: ['build.js'] }

/** Runs a script of the app's packages. */
function run({ command: [program, ...args] }: Runtime, folder: string, script: string[]) {
  const { PATH, HOME } = process.env
  const { status, stdout, stderr, error } = spawnSync(program, [...args, ...script], {
    cwd: folder,
    env: { PATH, HOME, SIGNEDIMP_PASSWORD: 'a password', NO_COLOR: '1' },
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.is(status, 0, `${error ?? ''}${stdout}${stderr}`)
  return { stdout, stderr }
}

for (const runtime of [installed, ...runtimes()]) {
  const title = `${runtime.name} builds, and signs with an encrypted key, and verifies`
  if (runtime.missing) {
    skip(test, title, runtime.missing)
    continue
  }
  for (const [bundler, script] of Object.entries(scripts))
    test(`${title}, with ${bundler}`, () => buildAndVerify(runtime, script))
}

async function buildAndVerify(runtime: Runtime, script: string[]): Promise<void> {
  const folder = await app()
  const dist = join(folder, 'dist')
  rmSync(dist, { recursive: true, force: true })
  const { stdout, stderr } = run(runtime, folder, script)
  assert.match(stdout + stderr, 'signedimp: signed shop: 2 modules')
  const key = createPrivateKey({
    key: readFileSync(join(folder, 'release.pem')),
    passphrase: 'a password',
  })
  const { main } = await check(dist, key, 'shop')
  assert.ok([...main.files.keys()].some((path) => /^assets\/cart-.*\.js$/.test(path)))
  const page = carrierOf(textIn(dist, 'index.html'))!
  assert.ok(main.files.has(decodeURIComponent(page.attributes['data-entry']!)))
  const verify = ['verify', 'dist', '--key', 'release.pem.pub', '--name', 'shop', '--json']
  const { stdout: report } = run(runtime, folder, ['node_modules/signedimp/dist/cli.js', ...verify])
  assert.is(JSON.parse(report).files, main.files.size)
}

test('the runtimes are those that they say they are', () => {
  for (const runtime of runtimes().filter(({ missing }) => !missing)) {
    const [program] = runtime.command
    const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
    assert.match(stdout, runtime.name.split(' ')[1]!)
  }
})

test.run()
