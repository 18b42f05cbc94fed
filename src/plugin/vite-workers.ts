/** Vite builds each worker by itself, and the main output has its files as assets: what they are is noted here. */
import type { Output } from '../emit/output.js'
import type { InlinedWorker } from '../emit/workers.js'
import { rewriteVersion, type RewrittenFor } from '../emit/rewrite.js'
import { isContentNamed } from './content-named.js'
import type { Bundle, BundleFile, OutputOptions, WorkerPlugin } from './types.js'

/** What was noted of a script of a worker. */
export interface WorkerChunk {
  /** Whether the worker starts by it. */
  isEntry: boolean
  isContentNamed: boolean
  code: string
}

/** What Vite has built for workers, by file name. */
export interface WorkerChunks {
  chunks: Map<string, WorkerChunk>
  /** What Vite is to run when it builds a worker. */
  plugin: WorkerPlugin
}

/** @param findTarget what chunks are written for, which is a part of their names */
export function noteWorkers(findTarget: () => RewrittenFor): WorkerChunks {
  const chunks = new Map<string, WorkerChunk>()
  return {
    chunks,
    plugin: {
      name: 'signedimp:worker',
      enforce: 'post',
      augmentChunkHash: () => rewriteVersion(findTarget()),
      generateBundle: {
        order: 'post',
        handler(options: OutputOptions, bundle: Bundle) {
          for (const file of Object.values(bundle)) if (isChunk(file)) note(file, options)
        },
      },
    },
  }

  function note(file: BundleFile & { code: string }, options: OutputOptions): void {
    const { fileName, isEntry = false, code } = file
    chunks.set(fileName, { isEntry, isContentNamed: isContentNamed(file, options), code })
  }
}

const isChunk = (file: BundleFile): file is BundleFile & { code: string } =>
  file.type === 'chunk' && file.code !== undefined

/** Workers that became no file, but a text in a chunk. */
export const findInlined = (
  chunks: ReadonlyMap<string, WorkerChunk>,
  output: Output,
): InlinedWorker[] =>
  [...chunks].flatMap(([path, { isEntry, code }]) =>
    isEntry && !output.has(path) ? [{ path, code }] : [],
  )
