/** Who has a module: the browser, or what was linked in memory. A module is one instance, so it is never both. */
export interface Claims {
  /** Notes that the browser begins to load modules. @returns says whether it then had them */
  begin(paths: ReadonlySet<string>): (isLoaded: boolean) => void
  /** Whether the browser has a module. */
  isNative(path: string): boolean
  /** Whether one of several modules is linked in memory: then the browser can load none that imports it. */
  hasLinked(paths: ReadonlySet<string>): boolean
  /**
   * Claims for linking what the browser does not have of several modules, unless it is about to load some of that.
   * @returns what settles when it no longer is; nothing when all is claimed
   */
  claim(paths: ReadonlySet<string>): Promise<void>[]
}

/** Makes the claims of a page, in which nobody has anything yet. */
export function createClaims(): Claims {
  const native = new Set<string>()
  const linked = new Set<string>()
  const loading = new Map<ReadonlySet<string>, Promise<void>>()
  return {
    begin(paths) {
      let settle: () => void
      loading.set(paths, new Promise((done) => (settle = done)))
      return (isLoaded) => {
        if (isLoaded) for (const path of paths) native.add(path)
        loading.delete(paths)
        settle()
      }
    },
    isNative: (path) => native.has(path),
    hasLinked: (paths) => [...paths].some((path) => linked.has(path)),
    claim(paths) {
      const missing = [...paths].filter((path) => !native.has(path))
      const busy = [...loading].filter(([others]) => missing.some((path) => others.has(path)))
      if (busy.length === 0) for (const path of missing) linked.add(path)
      return busy.map(([, settled]) => settled)
    },
  }
}
