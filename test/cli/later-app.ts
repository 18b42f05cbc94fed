import { createPublicKey, type KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { build } from 'esbuild'
import { generateKey, type KeyAlgorithm } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { saveKey } from '../../src/keys/save.ts'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'

const sources = {
  'src/main.js': `import './shared.js'\nglobalThis.open = () => import('./a.js')\n`,
  'src/deep/other.js': `import '../shared.js'\nglobalThis.other = 1\n`,
  'src/shared.js': `globalThis.shared = 1\n`,
  'src/a.js': `export const text = 'a'\n`,
  'src/café.js': `globalThis.café = 1\n`,
  'src/look.css': 'p { color: green }',
}

interface BuildOptions {
  signed?: SignedImpOptions
  publicPath?: string
  algorithm?: KeyAlgorithm
}

/** Builds an app with `html: 'later'` and with `a.key` in a new folder, where `b.key` is another one. */
export async function buildApp({
  signed = { html: 'later' },
  publicPath,
  algorithm = 'ed25519',
}: BuildOptions = {}) {
  const cwd = scratchFolder()
  await writeFiles(cwd, { 'package.json': '{"name":"shop"}', ...sources })
  const keys = [await generateKey(algorithm), await generateKey(algorithm)]
  for (const [at, name] of ['a.key', 'b.key'].entries())
    await saveKey(keys[at]!, join(cwd, name), { password: null } as never)
  const { signedImp } = (await import('../../dist/esbuild.js' as string)) as {
    signedImp(key: KeyObject, options: SignedImpOptions): never
  }
  const publicKeys = keys.map((key) => createPublicKey(key))
  const options = { build: 7, ...signed, keys: signed.keys?.length ? [publicKeys[1]!] : [] }
  await build({
    absWorkingDir: cwd,
    entryPoints: ['src/main.js', 'src/deep/other.js', 'src/café.js', 'src/look.css'],
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir: 'dist',
    chunkNames: '[name]',
    logLevel: 'silent',
    ...(publicPath && { publicPath }),
    plugins: [signedImp(keys[0]!, options)],
  })
  return { cwd, prints: publicKeys.map((key) => toTrustedKey(key).fingerprint) }
}
