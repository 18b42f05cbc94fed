import { join } from 'node:path'
import type { Configuration } from 'webpack'
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
  webpack: byWebpack,
  rspack: byRspack,
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

async function byWebpack(): Promise<string> {
  const { default: webpack } = await import('webpack')
  const bundle = (options: Configuration, done: Done) => void webpack(options, done)
  return byWebpackLike(bundle, { experiments: { outputModule: true } })
}

async function byRspack(): Promise<string> {
  const { rspack } = await import('@rspack/core')
  const bundle = (options: object, done: Done) => void rspack(options, done)
  return byWebpackLike(bundle, {})
}

type Done = (error: Error | null, stats?: { toJson(): { errors?: object[] } }) => void

/** Rspack takes the options of webpack. What they emit is ES modules only when they are told so. */
async function byWebpackLike(
  bundle: (options: Configuration, done: Done) => void,
  more: Configuration,
): Promise<string> {
  const context = scratchFolder()
  const path = join(context, 'dist')
  // What they cannot know before it runs, they leave alone only when they are told so.
  const main = files['src/main.js']!.replace('@vite-ignore', 'webpackIgnore: true')
  await writeFiles(context, { ...files, 'src/main.js': main })
  const names = { filename: 'assets/[name].js', chunkFilename: 'assets/[name].js' }
  const dep = { test: /dep\.js$/, name: 'dep', enforce: true }
  await new Promise<void>((settle, fail) => {
    const options: Configuration = {
      context,
      mode: 'production',
      devtool: 'source-map',
      entry: { index: './src/main.js' },
      output: { path, module: true, publicPath: '/', ...names },
      optimization: {
        chunkIds: 'named',
        splitChunks: { chunks: 'all', minSize: 0, cacheGroups: { dep } },
      },
      ...more,
    }
    bundle(options, (error, stats) => {
      const [wrong = error] = stats?.toJson().errors ?? []
      if (wrong) fail(wrong)
      else settle()
    })
  })
  await writeFiles(path, { 'index.html': pageOf('/assets/index.js') })
  return path
}

/** The page, with what was built in the place of its source. */
const pageOf = (entry: string): string => appFiles['index.html']!.replace('/src/main.js', entry)
