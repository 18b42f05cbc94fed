import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build, type BuildOptions } from 'esbuild'
import { signedImp } from 'signedimp/esbuild'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** How the app is built. */
export const options = {
  absWorkingDir: folder,
  entryPoints: ['src/main.ts'],
  outdir: `${folder}dist`,
  bundle: true,
  format: 'esm',
  splitting: true,
  minify: true,
  sourcemap: true,
  charset: 'utf8',
  target: 'es2022',
  entryNames: 'assets/[name]-[hash]',
  chunkNames: 'assets/[name]-[hash]',
  assetNames: 'assets/[name]-[hash]',
  loader: { '.svg': 'file' },
  logLevel: 'info',
  plugins: [signedImp('release.pem', { html: ['public/index.html'] })],
} satisfies BuildOptions

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // esbuild never empties the folder, and what stands there that no key of ours signed is refused.
  await rm(options.outdir, { recursive: true, force: true })
  await build(options)
}
