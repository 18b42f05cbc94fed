import { readFile } from 'node:fs/promises'
import type { TrustedKey } from '../crypto/key.js'
import type { Remember } from '../manifest/options.js'
import type { PageCode } from './bootstrap.js'

/** Whether these keys' signatures can be verified without the engine's cryptography. */
export const arePure = (keys: readonly TrustedKey[]): boolean =>
  keys.every(({ scheme }) => scheme.startsWith('pss-'))

/** What to say where they cannot. */
export const needsRsa =
  'needs keys that are all RSA: signedimp verifies no others without the browser; make one with signedimp keygen --algorithm rsa-pss'

/**
 * Reads what is built for pages; of the bootstraps, those that hold no more algorithms than the keys need.
 * @param pure whether pages are to do without the engine's cryptography where it has none, which RSA keys alone allow
 * @param remember whether pages remember builds
 */
export async function readPageCode(
  keys: readonly TrustedKey[],
  pure: boolean,
  remember?: Remember,
): Promise<PageCode> {
  const form = formOf(keys, pure) + (remember ? '-remember' : '')
  return {
    bootstrap: await read(`page${form}.js`),
    runtime: await read('runtime.js'),
    module: await read(`module${form}.js`),
    late: await read('late.js'),
    blob: await read('blob.js'),
    tags: await read('tags.js'),
    workers: await read('workers.js'),
    fetch: await read('fetch.js'),
    pure,
    remember,
  }
}

/** Reads the bootstrap that refuses nothing. */
export const readReportOnly = (keys: readonly TrustedKey[], pure: boolean): Promise<string> =>
  read(`report-only${formOf(keys, pure)}.js`)

function formOf(keys: readonly TrustedKey[], pure: boolean): string {
  const der = keys.some(({ algorithm }) => algorithm.namedCurve !== undefined)
  return pure ? '-pure' : der ? '-der' : ''
}

const read = (file: string): Promise<string> =>
  readFile(new URL(`./bootstrap/${file}`, import.meta.url), 'utf8')
