/** Builds the apps of the playground, for the demo, tests and benchmarks. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'esbuild'

/** The folders of the apps. */
export const appFolders = {
  react: fileURLToPath(new URL('./react/', import.meta.url)),
  esbuild: fileURLToPath(new URL('./esbuild/', import.meta.url)),
}

/** The name of an app: React by Vite, or none by esbuild. */
export type AppName = keyof typeof appFolders

/** How the app is built. */
export interface AppOptions {
  /** Which installed Vite. @default 'vite', the newest */
  vite?: 'vite5' | 'vite6' | 'vite7' | 'vite'
  /** The folder of the URL where it will be served. @default '/' */
  base?: string
  /** In place of the plugins of its own `vite.config.ts`; an empty list builds it unprotected. */
  plugins?: unknown[]
}

/** Builds the React app into a folder of its own, which is emptied before. */
export async function buildApp(outDir: string, options: AppOptions = {}): Promise<void> {
  const { vite = 'vite', base = '/', plugins } = options
  const { build } = (await import(vite)) as typeof import('vite')
  const { default: config } = await import('./react/vite.config.ts')
  await build({
    ...config,
    ...(plugins && { plugins: plugins as never }),
    configFile: false,
    base,
    logLevel: 'warn',
    build: { ...config.build, outDir, emptyOutDir: true },
  })
}

/** How the app is built by esbuild. */
export interface EsbuildAppOptions {
  /** Which installed esbuild. @default 'esbuild', the newest */
  esbuild?: 'esbuild26' | 'esbuild27' | 'esbuild'
  /** The folder of the URL where it will be served; without one, its files name one another relatively. */
  base?: string
  /** In place of the plugins of its own `build.ts`; an empty list builds it unprotected. */
  plugins?: Plugin[]
}

/** Builds the app of `esbuild/` into a folder of its own, which is emptied before. */
export async function buildEsbuildApp(
  outDir: string,
  { esbuild = 'esbuild', base = '', plugins }: EsbuildAppOptions = {},
): Promise<void> {
  const { build } = (await import(esbuild)) as typeof import('esbuild')
  const { options } = await import('./esbuild/build.ts')
  await rm(outDir, { recursive: true, force: true })
  await build({
    ...options,
    plugins: plugins ? [...plugins, ...(plugins.length > 0 ? [] : [plainPage])] : options.plugins,
    outdir: outDir,
    publicPath: base,
    logLevel: 'warning',
  })
}

/** The page of the build without signedimp, which else makes it. */
const plainPage: Plugin = {
  name: 'plain-page',
  setup({ initialOptions, onEnd }) {
    const { absWorkingDir: root = '', outdir = '', publicPath: base } = initialOptions
    initialOptions.metafile = true
    onEnd(async ({ metafile }) => {
      const html = await readFile(join(root, 'public/index.html'), 'utf8')
      const [path, { cssBundle }] = Object.entries(metafile!.outputs).find(
        ([, { entryPoint }]) => entryPoint === 'src/main.ts',
      )!
      const refer = (file: string) =>
        (base || './') + relative(outdir, join(root, file)).replaceAll('\\', '/')
      const style = `<link rel="stylesheet" href="${refer(cssBundle!)}">`
      const page = html.replace('../src/main.ts', refer(path)).replace('</head>', `${style}</head>`)
      await writeFile(join(outdir, 'index.html'), page)
    })
  },
}
