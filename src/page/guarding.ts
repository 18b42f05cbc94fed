import { isGuard } from '../manifest/path.js'
import type { Boot } from './context.js'

/**
 * Has the files run that guard `fetch`, once, where the manifest lists some: a build makes one where there is something to
 * guard, and an earlier build may have left its own. Before anything of the app runs, or that could keep the browser's own.
 * @param run runs a listed file of ours, checked
 */
export function createGuarding(
  { manifest }: Boot,
  run: (path: string) => Promise<unknown>,
): () => Promise<void> {
  const running = new Map<string, Promise<unknown>>()
  return async () => {
    for (const path of [...manifest.files.keys()].filter(isGuard)) {
      const ran = running.get(path) ?? run(path)
      running.set(path, ran)
      await ran
    }
  }
}
