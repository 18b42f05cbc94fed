import { evaluated } from '../../common/log.ts'

/** What is in the basket. */
export const basket: string[] = []

const watchers: (() => void)[] = []

/** Calls back after each change. */
export const watch = (watcher: () => void): void => void watchers.push(watcher)

/** Puts one more into the basket. */
export function add(id: string): void {
  basket.push(id)
  for (const watcher of watchers) watcher()
}

evaluated('basket', import.meta.url)
