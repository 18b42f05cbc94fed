/** Who has a module: the browser, or what was linked in memory. A module is one instance, so it is never both. */

/** Longest time that one loads nothing because the browser may still load some of it, in milliseconds. */
const patience = 5000

/** Keeps account of modules, by their paths. */
export interface Claims {
  /** Notes that the browser begins to load modules. @returns says whether it then had them */
  begin(paths: ReadonlySet<string>): (isLoaded: boolean) => void
  /** Whether the browser has a module. */
  isNative(path: string): boolean
  /** Whether one of several modules is linked in memory: then the browser can load none that imports it. */
  hasLinked(paths: ReadonlySet<string>): boolean
  /**
   * Claims what the browser does not have of several modules, once it no longer tries to load any of that.
   * @returns false when it still does after five seconds, as when what it loads awaits these modules
   */
  link(paths: ReadonlySet<string>): Promise<boolean>
}

export function createClaims(): Claims {
  const native = new Set<string>()
  const linked = new Set<string>()
  const loading = new Map<ReadonlySet<string>, Promise<void>>()
  const isNative = (path: string) => native.has(path)

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
    isNative,
    hasLinked: (paths) => [...paths].some((path) => linked.has(path)),
    async link(paths) {
      let isLate = false
      const deadline = new Promise((settle) => setTimeout(settle, patience)).then(() => {
        isLate = true
      })
      for (;;) {
        const missing = [...paths].filter((path) => !isNative(path))
        const busy = [...loading].filter(([others]) => missing.some((path) => others.has(path)))
        if (busy.length === 0) {
          for (const path of missing) linked.add(path)
          return true
        }
        if (isLate) return false
        await Promise.race([deadline, ...busy.map(([, settled]) => settled)])
      }
    },
  }
}
