import { useSyncExternalStore } from 'react'
import { evaluated } from '../../common/log.ts'

let basket: readonly string[] = []
const watchers = new Set<() => void>()

const watch = (watcher: () => void) => {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

/** Puts one more into the basket. */
export function add(id: string): void {
  basket = [...basket, id]
  for (const watcher of watchers) watcher()
}

/** What is in the basket. */
export const useBasket = () => useSyncExternalStore(watch, () => basket)

evaluated('basket', import.meta.url)
