import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { filesIn } from './built.ts'

const formats = { br: brotliCompressSync, gz: gzipSync }

/** Writes compressed copies of all files of a folder that are none themselves, as `gzip -k` does. */
export function compressFolder(dir: string): void {
  for (const path of filesIn(dir).filter((path) => !/\.(br|gz)$/.test(path)))
    for (const [end, compress] of Object.entries(formats))
      writeFileSync(join(dir, `${path}.${end}`), compress(readFileSync(join(dir, path))))
}

interface Emitter {
  emitFile(file: { type: 'asset'; fileName: string; source: Uint8Array }): string
}
type Bundle = Record<string, { code?: string; source?: string | Uint8Array }>

/** A plugin for Vite and Rollup that makes compressed copies in the hook that is named. */
export function compressor(hook: 'generateBundle' | 'writeBundle' | 'closeBundle') {
  let dir = ''
  return {
    name: 'compressor',
    generateBundle: {
      order: 'post',
      handler(this: Emitter, options: { dir?: string }, bundle: Bundle) {
        dir = options.dir!
        if (hook === 'generateBundle')
          for (const [name, { code, source }] of Object.entries(bundle))
            for (const [end, compress] of Object.entries(formats)) {
              const copy = compress(code ?? source!)
              this.emitFile({ type: 'asset', fileName: `${name}.${end}`, source: copy })
            }
      },
    },
    writeBundle: () => void (hook === 'writeBundle' && compressFolder(dir)),
    closeBundle: () => void (hook === 'closeBundle' && compressFolder(dir)),
  }
}
