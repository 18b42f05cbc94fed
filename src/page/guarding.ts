import { isGuard } from '../manifest/path.js'
import type { Boot } from './context.js'

/**
 * Has the file that guards `fetch` run, once, where the manifest lists one: a build makes it where there is something to
 * guard. Before anything of the app runs, or that could keep the browser's own.
 * @param run runs a listed file of ours, checked
 */
export function createGuarding(
  { manifest }: Boot,
  run: (path: string) => Promise<unknown>,
): () => Promise<unknown> {
  let running: Promise<unknown> | undefined
  return async () => {
    const path = [...manifest.files.keys()].find(isGuard)
    if (path !== undefined) await (running ??= run(path))
  }
}
