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

// A warning of the bundler is a defect of what we publish. But one: the runtime hands on whatever attributes a chunk imports with.
const onwarn: RollupOptions['onwarn'] = ({ code, message }) => {
  if (code !== 'INVALID_IMPORT_ATTRIBUTE') throw new Error(message)
}

const library: RollupOptions = {
  input: entries,
  output: { dir: 'dist', format: 'es', chunkFileNames: '[name]-[hash].js' },
  external: (id) => id.startsWith('node:') || Object.keys(dependencies).some((name) => id === name),
  // Of what pages are made of, `signedimp/runtime` has all.
  plugins: [esbuild({ target: 'node20', define: { __DER__: 'true', __MODULE__: 'true' } })],
  onwarn,
}

/** ASCII, and without what would end an inline script: the same bytes work in HTML and in a file. */
const minifyOptions: MinifyOptions = {
  ecma: 2022,
  compress: {
    passes: 4,
    inline: 0,
    unsafe: true,
    unsafe_arrows: true,
    booleans_as_integers: true,
  },
  // Properties that only the bootstrap's own functions hand to each other; the runtime sees none of them.
  mangle: { properties: { regex: /^(signatures|signedText|maxLines)$/ } },
  format: { ascii_only: true, inline_script: true },
}

interface Form {
  /** Whether keys may sign in DER, which needs code that others do not. */
  der?: boolean
  /** Whether it is an entry's own file, or the runtime of one, and not a page's. */
  module?: boolean
}

/** Something for pages as one file: a classic script, or a module. */
const forPages = (
  input: string,
  fileName: string,
  format: 'iife' | 'es',
  { der = false, module = false }: Form = {},
): RollupOptions => ({
  input: `src/page/${input}.ts`,
  output: {
    file: `dist/bootstrap/${fileName}`,
    format,
    ...(format === 'iife' && { strict: false }),
  },
  plugins: [
    esbuild({ target: 'esnext', define: { __DER__: String(der), __MODULE__: String(module) } }),
    {
      name: 'minify',
      renderChunk: (code) =>
        minify(code, { ...minifyOptions, module: format === 'es' }) as Promise<{ code: string }>,
    },
  ],
  onwarn,
})

export default [
  library,
  // What the bootstraps start are modules, because the import map must be what checks them.
  forPages('runtime', 'runtime.js', 'es'),
  forPages('late', 'late.js', 'es', { module: true }),
  forPages('blob', 'blob.js', 'es', { module: true }),
  forPages('tags', 'tags.js', 'es'),
  ...[false, true].flatMap((der) => [
    forPages('boot', der ? 'page-der.js' : 'page.js', 'iife', { der }),
    forPages('module', der ? 'module-der.js' : 'module.js', 'es', { der, module: true }),
  ]),
]
