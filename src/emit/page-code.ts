import { readFile } from 'node:fs/promises'
import type { TrustedKey } from '../crypto/key.js'
import type { PageCode } from './bootstrap.js'

/** Reads what is built for pages; of the bootstraps, those that hold no more algorithms than the keys need. */
export async function readPageCode(keys: readonly TrustedKey[]): Promise<PageCode> {
  const der = keys.some(({ algorithm }) => algorithm.namedCurve !== undefined)
  const read = (file: string) => readFile(new URL(`./bootstrap/${file}`, import.meta.url), 'utf8')
  return {
    bootstrap: await read(der ? 'page-der.js' : 'page.js'),
    runtime: await read('runtime.js'),
    module: await read(der ? 'module-der.js' : 'module.js'),
    late: await read('late.js'),
    blob: await read('blob.js'),
    tags: await read('tags.js'),
  }
}
