import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { loadPlugin } from '../support/app.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { throwsCode } from '../support/throws.ts'

// Stylesheets that are imported as modules: no bundler makes one, and one that is left external is refused.

const folder = scratchFolder()
const main = join(folder, 'main.js')
const quiet = { logLevel: 'silent' } as const

test.before(() =>
  writeFiles(folder, {
    'package.json': '{"name":"sheets","type":"module"}',
    'index.html': '<!doctype html><script type="module" src="/main.js"></script>',
    'main.js': `import sheet from './look.css' with { type: 'css' }
document.adoptedStyleSheets.push(sheet)
`,
    'look.css': 'p { color: green }\n',
  }),
)

const byVite = (name: string) => async () => {
  const { build } = (await import(name)) as typeof import('vite')
  await build({ root: folder, configFile: false, ...quiet, build: { write: false } })
}

const bundlers: Record<string, () => Promise<unknown>> = {
  vite5: byVite('vite5'),
  vite6: byVite('vite6'),
  vite7: byVite('vite7'),
  vite: byVite('vite'),
  rollup: async () => (await import('rollup')).rollup({ input: main, onwarn() {} }),
  rolldown: async () => {
    const bundle = await (await import('rolldown')).rolldown({ input: main, ...quiet })
    await bundle.generate()
  },
  esbuild: async () =>
    (await import('esbuild')).build({
      entryPoints: [main],
      bundle: true,
      format: 'esm',
      write: false,
      ...quiet,
    }),
}

for (const [name, build] of Object.entries(bundlers))
  test(`${name} makes no module of a stylesheet`, async () => {
    const failed = await build().then(
      () => undefined,
      (error: Error) => error,
    )
    assert.instance(failed, Error)
    assert.match(failed!.message, /css/i)
  })

test('one that is left external is refused', async () => {
  const [{ rollup }, signedImp] = [await import('rollup'), await loadPlugin()]
  const plugins = [signedImp(await generateKey('ed25519'), { name: 'sheets' }) as never]
  const bundle = await rollup({ input: main, external: /\.css$/, plugins, onwarn() {} })
  // Rollup has a code of its own.
  const { message } = await throwsCode(() => bundle.generate({ format: 'es' }), 'PLUGIN_ERROR')
  assert.match(message, /ERR_SIGNEDIMP_OUTPUT main\.js: imports ".*look\.css"/)
})

test.run()
