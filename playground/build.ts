/** Builds the React app of the playground, for the demo, tests and benchmarks. */
import { fileURLToPath } from 'node:url'

/** The app's folder. */
export const appFolder = fileURLToPath(new URL('./react/', import.meta.url))

/** How the app is built. */
export interface AppOptions {
  /** Which installed Vite. @default 'vite', the newest */
  vite?: 'vite5' | 'vite6' | 'vite7' | 'vite'
  /** The folder of the URL where it will be served. @default '/' */
  base?: string
  /** In place of the plugins of its own `vite.config.ts`; an empty list builds it unprotected. */
  plugins?: unknown[]
}

/** Builds the app into a folder of its own, which is emptied before. */
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
