import { minify, type MinifyOptions } from 'terser'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rollup, type Plugin, type RollupOptions } from 'rollup'
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

/** Hashes for the forms that need them; the others drop it, for it does nothing unless it is called. */
const noble: Plugin = {
  name: 'noble',
  resolveId: (id) =>
    id.startsWith('@noble/')
      ? { id: fileURLToPath(import.meta.resolve(id)), moduleSideEffects: false }
      : null,
}

/**
 * Modules of the runtime as objects, for what runs at each start of a program: an import of one reads all that it exports,
 * and so loads streams and promises that nobody asked for, and an import map, such as that of a `deno.json` beside it, may
 * give it another meaning. What is used is taken at the start, whoever replaces it later.
 */
const builtins: Plugin = {
  name: 'builtins',
  resolveId: (id) =>
    id.startsWith('node:') ? { id: `\0${id}`, external: false, moduleSideEffects: false } : null,
  async load(id) {
    if (!id.startsWith('\0node:')) return null
    const name = id.slice(1)
    const names = Object.keys(await import(name)).filter((key) => key !== 'default')
    return [
      `const all = globalThis.process.getBuiltinModule('${name}')`,
      'export default all',
      ...names.map((key) => `export const ${key} = all.${key}`),
    ].join('\n')
  },
}

/** What is read of a module of the runtime and not used is not read. */
const treeshake = { propertyReadSideEffects: false } as const

/** The hooks of Node 20, which run in a thread of their own: a bootstrap in one file brings them as a text. */
const thread: Plugin = {
  name: 'thread',
  transform: async (code) =>
    code.includes('__THREAD__')
      ? code.replace('__THREAD__', JSON.stringify(await bundleThread()))
      : null,
}

async function bundleThread(): Promise<string> {
  const plugins = [esbuild({ target: 'node20', minify: true }), builtins]
  const bundle = await rollup({ input: 'src/hooks/thread.ts', plugins, treeshake, onwarn })
  const { output } = await bundle.generate({ format: 'es' })
  return output[0].code
}

/** In the source, and as a path. */
function isErrors(id: string): boolean {
  return /\/errors\.[jt]s$/.test(id)
}

const isNodes = (entry: string): boolean => entry === 'src/node.ts'

const library: RollupOptions = {
  input: entries.filter((entry) => !isNodes(entry)),
  output: {
    dir: 'dist',
    format: 'es',
    chunkFileNames: '[name]-[hash].js',
    // A file of its own, which `signedimp/node` imports without the rest: errors of both are of one class.
    manualChunks: (id) => (isErrors(id) ? 'errors' : null),
  },
  external: (id) => id.startsWith('node:') || Object.keys(dependencies).some((name) => id === name),
  // Of what pages are made of, `signedimp/runtime` has all.
  plugins: [
    esbuild({
      target: 'node20',
      define: {
        __DER__: 'true',
        __MODULE__: 'true',
        __PURE__: 'false',
        __REMEMBER__: 'false',
      },
    }),
    noble,
  ],
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

/** Of what is in the form that can do without the engine's cryptography; LICENSE has the whole. */
const notice = '/*! @noble/hashes, MIT License, (c) 2022 Paul Miller (paulmillr.com) */'

interface Form {
  /** Whether keys may sign in DER, which needs code that others do not. */
  der?: boolean
  /** Whether it is an entry's own file, or the runtime of one, and not a page's. */
  module?: boolean
  /** Whether it brings what engines lack over plain http: hashes, and RSA-PSS. */
  pure?: boolean
  /** Whether it remembers builds. */
  remember?: boolean
  /** Whether it is the text of a function that somebody applies to what stands in the slot. */
  applied?: string
}

/** In one line, so that what a worker runs behind it keeps its lines. */
const applyTo = (code: string, slot: string): string =>
  `${notice}\n(function $signedimp($boot){"use strict";${code.trim()}})(${slot})\n`

/** Something for pages as one file: a classic script, or a module. */
const forPages = (
  input: string,
  fileName: string,
  format: 'iife' | 'es',
  { der = false, module = false, pure = false, remember = false, applied }: Form = {},
): RollupOptions => ({
  input: `src/page/${input}.ts`,
  output: {
    file: `dist/bootstrap/${fileName}`,
    format,
    ...(format === 'iife' && { strict: false }),
  },
  plugins: [
    esbuild({
      target: 'esnext',
      define: {
        __DER__: `${der}`,
        __MODULE__: `${module}`,
        __PURE__: `${pure}`,
        __REMEMBER__: `${remember}`,
      },
    }),
    noble,
    {
      name: 'minify',
      renderChunk: async (code) => {
        const { code: small } = await minify(code, {
          ...minifyOptions,
          format: { ...minifyOptions.format, ...(pure && !applied && { preamble: notice }) },
          module: format === 'es',
        })
        return applied ? applyTo(small!, applied) : { code: small! }
      },
    },
  ],
  onwarn,
})

const forNode = () => [esbuild({ target: 'node20', define: { __DER__: 'true' } }), thread, builtins]

/** What `--import` loads, in one file. */
const node: RollupOptions = {
  input: 'src/node.ts',
  output: {
    file: 'dist/node.js',
    format: 'es',
    paths: (id) => (isErrors(id) ? './errors.js' : id),
  },
  external: isErrors,
  plugins: forNode(),
  treeshake,
  onwarn,
}

/** The file of a program's entry. Nothing in it is to be clever: it is what keeps what runs later from changing it. */
const forServers = (input: string, fileName: string, format: 'es' | 'cjs'): RollupOptions => ({
  input: `src/hooks/program/${input}.ts`,
  output: { file: `dist/bootstrap/${fileName}`, format, esModule: false },
  treeshake,
  plugins: [
    ...forNode(),
    {
      name: 'minify',
      renderChunk: async (code) => {
        const options = { ecma: 2022, format: { ascii_only: true }, toplevel: true } as const
        const { code: small } = await minify(code, { ...options, module: format === 'es' })
        return { code: small! }
      },
    },
  ],
  onwarn,
})

export default [
  library,
  node,
  forServers('module', 'program.js', 'es'),
  forServers('commonjs', 'program.cjs', 'cjs'),
  forServers('embed', 'embed.js', 'es'),
  forServers('embed', 'embed.cjs', 'cjs'),
  // What the bootstraps start are modules, because the import map must be what checks them.
  forPages('runtime', 'runtime.js', 'es'),
  forPages('late', 'late.js', 'es', { module: true }),
  forPages('blob', 'blob.js', 'es', { module: true }),
  forPages('tags', 'tags.js', 'es'),
  forPages('worker/main', 'workers.js', 'es', {
    module: true,
    pure: true,
    applied: '__SIGNEDIMP_WORKERS__',
  }),
  forPages('resources', 'fetch.js', 'es', { module: true }),
  ...[{}, { der: true }, { pure: true }].flatMap((form) => {
    const suffix = Object.keys(form).map((name) => `-${name}`)
    return [
      forPages('report-only', `report-only${suffix}.js`, 'iife', form),
      ...[form, { ...form, remember: true }].flatMap((one) => {
        const end = `${suffix}${one === form ? '' : '-remember'}.js`
        return [
          forPages('boot', `page${end}`, 'iife', one),
          forPages('module', `module${end}`, 'es', { ...one, module: true }),
        ]
      }),
    ]
  }),
]
