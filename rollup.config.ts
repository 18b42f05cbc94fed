import { minify, type MinifyOptions } from 'terser'
import { readFileSync } from 'node:fs'
import type { RollupOptions } from 'rollup'
import esbuild from 'rollup-plugin-esbuild'

const { dependencies, exports, bin } = JSON.parse(readFileSync('package.json', 'utf8'))

/** Sources of the package's entry points: `exports` and `bin` name them by what they become. */
const entries = [...Object.values<{ default?: string } | string>(exports), ...Object.values(bin)]
  .map((target) => (typeof target === 'string' ? target : (target as { default: string }).default))
  .flatMap((file) => /^\.\/dist\/(.+)\.js$/.exec(file)?.[1] ?? [])
  .map((name) => `src/${name}.ts`)

// A warning of the bundler is a defect of what we publish.
const onwarn: RollupOptions['onwarn'] = (warning) => {
  throw new Error(warning.message)
}

const library: RollupOptions = {
  input: entries,
  output: { dir: 'dist', format: 'es', chunkFileNames: '[name]-[hash].js' },
  external: (id) => id.startsWith('node:') || Object.keys(dependencies).some((name) => id === name),
  plugins: [esbuild({ target: 'node20' })],
  onwarn,
}

/** ASCII, and without what would end an inline script: the same bytes work in HTML and in a file. */
const minifyOptions: MinifyOptions = {
  ecma: 2020,
  compress: { passes: 3, unsafe_arrows: true },
  format: { ascii_only: true, inline_script: true },
}

/** The bootstrap of pages as one script. Two builds: keys that sign in DER need code that others do not. */
const bootstrap = (fileName: string, der: boolean): RollupOptions => ({
  input: 'src/page/boot.ts',
  output: { file: `dist/bootstrap/${fileName}`, format: 'iife' },
  plugins: [
    esbuild({ target: 'es2022', define: { __DER__: String(der) } }),
    {
      name: 'minify',
      renderChunk: (code) => minify(code, minifyOptions) as Promise<{ code: string }>,
    },
  ],
  onwarn,
})

export default [library, bootstrap('page.js', false), bootstrap('page-der.js', true)]
