import { generateKey } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import type { SealOptions } from '../../src/seal/types.ts'
import type { SealReport } from '../../src/seal/types.ts'
import { folderOf } from '../tree/folder.ts'

/** The tools as they are published: they read the bootstrap that is built beside them. */
export const { sealDirectory, unsealDirectory, verifyDirectory } = (await import(
  '../../dist/index.js' as string
)) as typeof import('../../src/index.ts')

/** The key of all folders that are not given another. */
export const key = await generateKey('ed25519')

/** Its public half. */
export const publicKey = toTrustedKey(key)

/** Files by path. */
export type Files = Record<string, string>

/** A page with tags in its head. */
export const pageOf = (...tags: string[]): string =>
  `<!doctype html>\n<html lang="en">\n  <head>\n    <meta charset="utf-8">\n    ${tags.join('\n    ')}\n  </head>\n  <body></body>\n</html>\n`

/** The tag that starts a module. */
export const start = (src: string): string => `<script type="module" src="${src}"></script>`

/** A built app: one page, an entry, what that imports, and what it imports later. */
export const app: Files = {
  'index.html': pageOf(start('/assets/main.js'), '<link rel="stylesheet" href="/assets/look.css">'),
  'assets/main.js': `import{a}from"./dep.js";globalThis.open=()=>import("./lazy.js");console.log(a)\n`,
  'assets/dep.js': `export const a=1\n`,
  'assets/lazy.js': `export const text="lazy"\n`,
  'assets/look.css': 'p { color: green }\n',
}

/** Writes a folder: the app with some files in the place of its own. */
export const folder = (files: Files = {}): Promise<string> => folderOf({ ...app, ...files })

/** Seals a folder with the key of all. */
export const seal = (dir: string, options: SealOptions = {}): Promise<SealReport> =>
  sealDirectory(dir, { key, name: 'shop', ...options })

/** Seals the app with some files in the place of its own. */
export const sealWith = async (files: Files, options: SealOptions = {}): Promise<SealReport> =>
  seal(await folder(files), options)
