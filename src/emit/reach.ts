import type { LinkedModules } from './modules.js'

/** What a module may load, itself included, or undefined where only its run tells. */
export function reach(
  main: string,
  {
    imports,
    lazy,
    styles,
    resources,
    workers,
  }: Pick<LinkedModules, 'imports' | 'lazy' | 'styles' | 'resources' | 'workers'>,
): Set<string> | undefined {
  const reached = new Set([main])
  for (const path of reached) {
    const { paths, isOpen } = lazy.get(path) ?? { paths: [], isOpen: false }
    if (isOpen) return undefined
    for (const to of imports.get(path) ?? []) reached.add(to.path)
    const beside = [styles, resources, workers].flatMap((map) => map.get(path) ?? [])
    for (const to of [...paths, ...beside]) reached.add(to)
  }
  return reached
}
