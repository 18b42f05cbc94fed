import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { InlineConfig } from 'vite'
import type { AppOptions } from '../../playground/build.ts'
import { scratchFolder } from './processes.ts'

/** How a fixture is built. */
export interface FixtureOptions extends AppOptions {
  /** Merged into the configuration, as Vite merges. */
  config?: InlineConfig
}

/** Names with hashes in them: WebKit keeps what has one name in memory, from one page to the next. */
export const hashedNames: InlineConfig = {
  build: {
    rollupOptions: {
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
      },
    },
  },
}

/**
 * Builds an app that is given as texts by file name, readable and with the files' own names, so that a test can
 * name what it tampers with: `src/a.js` becomes `assets/a.js`. Each `.html` file at the top is a page.
 * @returns the output folder, removed when this process ends
 */
export async function buildFixture(
  files: Record<string, string | Uint8Array>,
  { vite = 'vite', base = '/', plugins = [], config = {} }: FixtureOptions = {},
): Promise<string> {
  const root = scratchFolder()
  const outDir = join(root, 'dist')
  await writeFiles(root, { 'package.json': '{"name":"fixture","type":"module"}', ...files })
  const { build, mergeConfig } = (await import(vite)) as typeof import('vite')
  const names = { entryFileNames, chunkFileNames: entryFileNames, assetFileNames }
  const input = Object.keys(files).filter((file) => /^[^/]+\.html$/.test(file))
  const own: InlineConfig = {
    root,
    configFile: false,
    base,
    logLevel: 'error',
    plugins: plugins as never,
    build: {
      outDir,
      minify: false,
      assetsInlineLimit: 0,
      rollupOptions: {
        ...(input.length > 0 && { input: input.map((file) => join(root, file)) }),
        output: names,
      },
    },
  }
  await build(mergeConfig(own, config))
  return outDir
}

const entryFileNames = 'assets/[name].js'
const assetFileNames = 'assets/[name][extname]'

/** Writes texts into a folder. */
export async function writeFiles(
  folder: string,
  files: Record<string, string | Uint8Array>,
): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, dirname(path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}
