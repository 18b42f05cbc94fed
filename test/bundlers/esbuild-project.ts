import { rm } from 'node:fs/promises'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { BuildFailure, BuildOptions, BuildResult, Message, Metafile } from 'esbuild'
import { signedImp, type SignedImpOptions } from 'signedimp/esbuild'
import { generateKey } from '../../src/keys/generate.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { check, filesIn, findUnwrapped, pageManifestsIn, textIn, type Signed } from './built.ts'

/** An esbuild that is installed. */
export type EsbuildName = 'esbuild' | 'esbuild27' | 'esbuild26'

/** Every esbuild that is supported, the newest first. */
export const esbuilds: readonly EsbuildName[] = ['esbuild', 'esbuild27', 'esbuild26']

/** What all builds sign with. */
export const key = await generateKey('ed25519')

/** An app of two entries, which share a module and load one later. */
export const appFiles: Record<string, string> = {
  'package.json': '{"name":"fixture","type":"module"}',
  'src/main.js': `import { dep } from './dep.js'
import './main.css'
globalThis.load = () => import('./lazy.js')
export const where = import.meta.url + dep
`,
  'src/admin.js': `import { dep } from './dep.js'
export default () => import('./lazy.js').then((lazy) => lazy.default + dep)
`,
  'src/dep.js': 'export const dep = new Date(0).getTime()\n',
  'src/lazy.js': `import { dep } from './dep.js'
export default 'lazy' + dep
`,
  'src/main.css': 'body { background: url(./dot.png) }\n',
  'src/dot.png': 'not really a picture\n',
  'index.html': `<!doctype html>
<html><head><meta charset="utf-8"><title>app</title></head><body>
<script type="module" src="src/main.js"></script>
</body></html>
`,
}

/** What a test says of a build, beside esbuild's own options. */
export interface Said extends BuildOptions {
  esbuild?: EsbuildName
  /** Options of the plugin; false for a build without it. */
  signed?: SignedImpOptions | false | undefined
  /** Plugins that are listed after ours; `plugins` come before it. */
  behind?: BuildOptions['plugins']
}

/** Writes an app of texts into a new folder, or into one that is there. */
export async function createApp(
  files: Record<string, string> = appFiles,
  folder: string = scratchFolder(),
): Promise<string> {
  await writeFiles(folder, { 'package.json': '{"name":"fixture"}', ...files })
  return folder
}

/** esbuild's options for an app in a folder, for `dist` in it, with names that a test can tell. */
export function optionsOf(folder: string, said: Said = {}): BuildOptions {
  const { esbuild: _, signed = {}, plugins = [], behind = [], ...options } = said
  const own = signed ? [signedImp(key, signed)] : []
  return {
    absWorkingDir: folder,
    entryPoints: ['src/main.js'],
    bundle: true,
    format: 'esm',
    splitting: options.outfile === undefined,
    chunkNames: '[name]-[hash]',
    assetNames: '[name]',
    loader: { '.png': 'file' },
    logLevel: 'silent',
    ...(options.outfile === undefined ? { outdir: 'dist' } : {}),
    ...options,
    plugins: [...plugins, ...own, ...behind],
  }
}

/** Builds the app in a folder. @returns what esbuild returns */
export async function build(folder: string, said: Said = {}): Promise<BuildResult> {
  const esbuild = await load(said.esbuild)
  return esbuild.build(optionsOf(folder, said))
}

/** One of the installed versions. */
export const load = (name: EsbuildName = 'esbuild'): Promise<typeof import('esbuild')> =>
  import(name) as Promise<typeof import('esbuild')>

/** A folder that was built, read and found to be in order. */
export interface Found extends Signed {
  dir: string
  result: BuildResult
  files: string[]
  /** Paths of the entries that check themselves. */
  bootstraps: string[]
}

/** Builds an app and holds what is true of every build: see {@link checkFolder}. */
export async function buildWell(
  said: Said & { folder?: string; files?: Record<string, string> } = {},
): Promise<Found> {
  const { folder = await createApp(), files, ...rest } = said
  if (files) await createApp(files, folder)
  const result = await build(folder, rest)
  assert.equal(result.errors, [])
  return checkFolder(join(folder, outputOf(rest)), result)
}

const outputOf = ({ outdir = 'dist', outfile }: Said): string =>
  outfile === undefined ? outdir : outfile.replace(/\/[^/]*$/, '')

/** Holds that a folder is signed, that its modules are rewritten, and that nothing of the mark is left. */
export async function checkFolder(dir: string, result: BuildResult): Promise<Found> {
  const signed = await check(dir, key)
  const files = filesIn(dir)
  const bootstraps = files.filter((path) => isBootstrap(textIn(dir, path)))
  assert.equal(await findUnwrapped(dir, bootstraps), [])
  for (const path of files) assert.not.match(textIn(dir, path), 'signedimp:not-signed', path)
  return { ...signed, dir, result, files, bootstraps }
}

/** Whether a text is an entry's bootstrap: it names the manifest of what the entry loads. */
const isBootstrap = (text: string): boolean =>
  /\{path:"[^"]*",base:"[^]*manifest:"signedimp-manifest\./.test(text)

/** The names of page manifests must all be told, by a page or by a bootstrap. */
export function refersToManifests(dir: string): boolean {
  const texts = filesIn(dir).map((path) => textIn(dir, path))
  return pageManifestsIn(dir).every((name) => texts.some((text) => text.includes(name)))
}

/** Holds that a metafile tells of each file in a folder, and of nothing else, and tells the truth. */
export function checkMetafile(folder: string, dir: string, { outputs }: Metafile): void {
  const told = Object.keys(outputs).map((name) => join(folder, name))
  assert.equal(
    told.sort(),
    filesIn(dir)
      .map((path) => join(dir, path))
      .sort(),
  )
  for (const [name, { bytes, imports, cssBundle }] of Object.entries(outputs)) {
    assert.is(bytes, statSync(join(folder, name)).size, name)
    const paths = imports.filter(({ external }) => !external).map(({ path }) => path)
    for (const path of [...paths, ...(cssBundle ? [cssBundle] : [])])
      assert.ok(outputs[path], `${name} refers to ${path}`)
  }
}

/** The messages of a build that must fail, and that must leave its folder unsigned. */
export async function failureOf(building: Promise<unknown>): Promise<Message[]> {
  const error = await building.then(
    () => {
      throw new Error('the build did not fail')
    },
    (failure: BuildFailure) => failure,
  )
  assert.ok(Array.isArray(error.errors), error.stack ?? String(error))
  return error.errors
}

/** The one message of a build that must fail. */
export async function refusalOf(building: Promise<unknown>): Promise<Message> {
  const errors = await failureOf(building)
  assert.is(errors.length, 1, errors.map(({ text }) => text).join('\n'))
  return errors[0]!
}

/** Texts of the files in a folder, byte for byte. */
export const textsIn = (dir: string): Map<string, string> =>
  new Map(filesIn(dir).map((path) => [path, readFileSync(join(dir, path), 'latin1')]))

/** Empties an output folder, as a project's script does before a build. */
export const empty = (dir: string): Promise<void> => rm(dir, { recursive: true, force: true })
