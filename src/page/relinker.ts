/**
 * Engines may keep a failure to load a module for as long as the page lives: Firefox does, Chromium 150 too. Then it is fetched,
 * hashed and linked in memory, by a file that nobody else needs.
 */
import type { CreateLoad, Known, Linkable } from './context.js'
import { runFromBlob } from './from-blob.js'
import type { Load } from './import.js'
import { isLoadFailure, refusedOnce } from './load-failure.js'

/** Loads modules in memory, and takes what does it. */
export interface Relinker {
  load: Load
  adopt(create: CreateLoad): void
}

/** Makes one that fetches what links in memory when it is needed first, once. */
export function createRelinker(context: Linkable, known: Known): Relinker {
  let adopted: Load | undefined

  async function fetchLoad(): Promise<Load> {
    if (!adopted) await runFromBlob(context, findFile(context))
    return adopted!
  }

  return {
    load: async (path, options) => {
      try {
        return await (
          await fetchLoad()
        )(path, options)
      } catch (error) {
        throw isFinal(error) ? refusedOnce(path, 'reload the page', error) : error
      }
    },
    adopt: (create) => {
      adopted ??= create(known)
    },
  }
}

/** The page manifest lists one, of the version that is running. */
const findFile = ({ manifest }: Linkable): string =>
  [...manifest.files.keys()].find((path) => /^signedimp-blob-\w{16}\.js$/.test(path))!

/** Blobs are blocked, or modules import one another in a circle, and nothing stands in for them. By the code, for each file has a class of its own. */
const isFinal = (error: unknown): boolean =>
  isLoadFailure(error) || (error as { code?: unknown }).code === 'ERR_SIGNEDIMP_NOT_ENFORCEABLE'
