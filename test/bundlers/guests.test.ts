import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import type { InlineConfig } from 'vite'
import { generateKey } from '../../src/keys/generate.ts'
import { root } from '../support/files.ts'
import { buildFixture } from '../support/fixture.ts'
import { startHelper } from '../support/processes.ts'
import {
  attackedVites,
  check,
  filesIn,
  manifestsIn,
  pageManifestsIn,
  textIn,
  type ViteName,
} from './built.ts'
import { appFiles, createProject, runNode, runVite } from './project.ts'

// Others that take the project's Vite configuration, and with it the plugin, and make no release of it.

const config = `import signedImp from 'signedimp'
export default { plugins: [signedImp('missing.pem')] }
`

test('Vitest runs tests of a project whose key is not there', async () => {
  const folder = await createProject(
    {
      ...appFiles,
      'vite.config.js': config,
      'src/lazy.test.js': `import { expect, test } from 'vitest'
import one from './lazy.js'
test('static', () => expect(one).toBe('one'))
test('dynamic', async () => expect((await import('./lazy.js')).default).toBe('one'))
test('wrong', () => expect(one).toBe(process.env.EXPECTED ?? 'one'))
`,
    },
    ['signedimp', 'vite', 'vitest'],
  )
  const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=verbose']
  const passed = runNode(vitest, { cwd: folder })
  assert.is(passed.status, 0, passed.said)
  assert.match(passed.said, /Tests +3 passed/)
  assert.not.match(passed.said, /signedimp:|ERR_SIGNEDIMP/)
  const failed = runNode(vitest, { cwd: folder, env: { EXPECTED: 'two' } })
  assert.is(failed.status, 1, 'a test that fails still fails')
  assert.match(failed.said, /Tests +1 failed \| 2 passed/)
})

// Storybook.

/** What Storybook's builder (7 to 10) does: its page in the place of the project's, into a folder that has files already. */
const storybook = {
  name: 'storybook:code-generator-plugin',
  enforce: 'pre',
  config(user: { root?: string; build?: object }) {
    const options = { input: join(user.root!, 'iframe.html') }
    const both = { rollupOptions: options, rolldownOptions: options }
    // Minified, because comments would say where sources stood.
    user.build = { ...user.build, emptyOutDir: false, minify: true, ...both }
  },
}
const storybookFiles = {
  ...appFiles,
  'iframe.html': '<!doctype html><script type="module" src="/src/main.js"></script>',
}

const noPassword = (): string => {
  throw new Error('asked for the password')
}

function logging() {
  const said: string[] = []
  const note = (level: string) => (text: string) => void said.push(`${level}: ${text}`)
  const [info, warn, error] = ['info', 'warn', 'error'].map(note) as [never, never, never]
  const customLogger = { info, warn, warnOnce: warn, error, clearScreen() {} } as never
  return { customLogger, said: () => said.join('\n') }
}

const buildStorybook = (vite: ViteName, plugins: unknown[], config: InlineConfig = {}) =>
  buildFixture(storybookFiles, { vite, plugins, config: { logLevel: 'silent', ...config } })

for (const vite of attackedVites) {
  test(`${vite}: a build of Storybook is left alone, which the build says, and needs no key`, async () => {
    const { customLogger, said } = logging()
    const plugin = signedImp('missing.pem', { password: noPassword })
    const dir = await buildStorybook(vite, [storybook, plugin], { customLogger })
    assert.match(said(), /warn: signedimp: this is a build of Storybook: it is NOT signed/)
    assert.equal(manifestsIn(dir), [])
    const plain = await buildStorybook(vite, [storybook])
    assert.equal(filesIn(dir), filesIn(plain))
    assert.not.ok(filesIn(dir).includes('index.html'), 'the page is that of Storybook')
    for (const path of filesIn(dir).filter((path) => path.endsWith('.html')))
      assert.is(textIn(dir, path), textIn(plain, path), path)
  })

  test(`${vite}: nothing else of Storybook's name, and no variable, leaves a build unsigned`, async () => {
    const key = await generateKey('ed25519')
    process.env.STORYBOOK = 'true'
    try {
      for (const name of ['storybook:define-env', 'vite-plugin-storybook-test']) {
        const plugins = [{ name }, signedImp(key)]
        await check(await buildFixture(appFiles, { vite, plugins }), key)
      }
    } finally {
      delete process.env.STORYBOOK
    }
  })
}

test('under another name the plugin takes no other one out of the list', () => {
  const others = [{ name: 'a' }, { name: 'b' }]
  const plugins = [...others]
  const logger = { info() {}, warn() {} }
  signedImp('missing.pem').configResolved({ plugins, logger, command: 'build', build: {} })
  assert.equal(plugins, others)
})

// Vite's own servers, as processes.

test('vite dev serves the sources without a key, and a change of them; vite preview serves what was signed', async () => {
  const folder = await createProject({ ...appFiles, 'vite.config.js': config })
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  const serve = (args: string[]) =>
    startHelper(process.execPath, [vite, ...args, '--host', '127.0.0.1', '--port', '0'], {
      ready: /Local:\s+(http:\S+)/,
      env: { NO_COLOR: '1' },
    })
  const get = async (url: string) => {
    const answer = await fetch(url)
    return { status: answer.status, text: await answer.text() }
  }
  const dev = await serve([folder, '--config', join(folder, 'vite.config.js')])
  try {
    assert.match((await get(dev.ready)).text, 'src="/src/main.js"')
    assert.match((await get(dev.ready + 'src/lazy.js')).text, '"one"')
    assert.is((await get(dev.ready + 'missing.pem')).status, 403)
    writeFileSync(join(folder, 'src/lazy.js'), 'export default "two"')
    let text = ''
    for (let tries = 0; tries < 100 && !text.includes('"two"'); tries++) {
      text = (await get(dev.ready + 'src/lazy.js')).text
      await sleep(50)
    }
    assert.match(text, '"two"')
  } finally {
    await dev.stop()
  }
  const key = await generateKey('ed25519')
  writeFileSync(join(folder, 'missing.pem'), key.export({ type: 'pkcs8', format: 'pem' }) as string)
  assert.is(runVite(['build'], { cwd: folder }).status, 0)
  await check(join(folder, 'dist'), key)
  const preview = await serve(['preview', folder, '--config', join(folder, 'vite.config.js')])
  try {
    const [manifest] = pageManifestsIn(join(folder, 'dist'))
    const dir = join(folder, 'dist')
    for (const path of ['index.html', manifest!])
      assert.is((await get(preview.ready + path)).text, textIn(dir, path))
    assert.is((await get(preview.ready + '../missing.pem')).text.includes('PRIVATE'), false)
  } finally {
    await preview.stop()
  }
})

test.run()
