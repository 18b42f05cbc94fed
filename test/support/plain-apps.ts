import { join } from 'node:path'
import { appFiles } from './app.ts'
import { buildByEsbuild } from './esbuild.ts'
import { buildFixture, writeFiles } from './fixture.ts'
import { scratchFolder } from './processes.ts'

/** The app with a stylesheet that `a` brings along, which Vite links when it loads that. */
const files: Record<string, string> = {
  ...appFiles,
  'src/look.css': 'p { color: rgb(0, 128, 0) }\n',
  'src/later.css': 'p { background-color: rgb(0, 0, 128) }\n',
}

const withStyles = {
  ...files,
  'src/main.js': `import './look.css'\n${files['src/main.js']}`,
  'src/solo.js': `import './later.css'\n${files['src/solo.js']}`,
}

/** The app as bundlers build it that know nothing of the plugin; each chunk has the name of its module. */
export const plainApps: Record<string, () => Promise<string>> = {
  vite: () => byVite('vite'),
  vite7: () => byVite('vite7'),
  rollup: byRollup,
  esbuild: byEsbuild,
}

const byVite = (vite: string): Promise<string> =>
  buildFixture(withStyles, {
    vite: vite as never,
    config: { build: { rollupOptions: { output: { manualChunks } } } },
  })

const manualChunks = (id: string): string | undefined =>
  id.endsWith('/dep.js') ? 'dep' : undefined

async function byRollup(): Promise<string> {
  const root = scratchFolder()
  await writeFiles(root, files)
  const { rollup } = await import('rollup')
  const bundle = await rollup({ input: join(root, 'src/main.js'), onLog() {} })
  const dir = join(root, 'dist')
  const names = { entryFileNames: 'assets/index.js', chunkFileNames: 'assets/[name].js' }
  await bundle.write({ dir, ...names, manualChunks, sourcemap: true })
  await bundle.close()
  await writeFiles(dir, { 'index.html': pageOf('./assets/index.js') })
  return dir
}

async function byEsbuild(): Promise<string> {
  const { dir } = await buildByEsbuild(files, {
    config: { publicPath: '', minify: true, chunkNames: 'assets/[name]-[hash]' },
  })
  await writeFiles(dir, { 'index.html': pageOf('/assets/index.js') })
  return dir
}

/** The page, with what was built in the place of its source. */
const pageOf = (entry: string): string => appFiles['index.html']!.replace('/src/main.js', entry)
