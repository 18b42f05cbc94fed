import type { Output } from './output.js'

/** What is done to an output, for whoever hands it on. */
export interface Changes {
  /** Files that are new or have other bytes than before; undefined for those that are gone. */
  changed: Map<string, string | Uint8Array | undefined>
  change(path: string, source: string | Uint8Array): void
  /** Gives a file another path. */
  move(from: string, to: string, source: string): void
}

/** Notes changes of an output as they are made. */
export function createChanges(output: Output): Changes {
  const changed: Changes['changed'] = new Map()
  const change: Changes['change'] = (path, source) => {
    const file = { isModule: false, isEntry: false, ...output.get(path), path, source }
    delete file.digest
    output.set(path, file)
    changed.set(path, source)
  }
  return {
    changed,
    change,
    move(from, to, source) {
      output.set(to, { ...output.get(from)!, isEntry: false })
      output.delete(from)
      changed.set(from, undefined)
      change(to, source)
    },
  }
}
