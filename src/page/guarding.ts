import { isGuard } from '../manifest/path.js'
import type { Guarded } from './workers.js'
import { startGuard } from './workers.js'

/**
 * Has the files run that guard `fetch` and workers, once each, where the manifest lists some: a build makes them where there
 * is something to guard, and an earlier build may have left its own. Before anything of the app runs, or that could keep the
 * browser's own.
 * @param run runs a listed file of ours, checked
 */
export function createGuarding(
  context: Guarded,
  run: (path: string) => Promise<unknown>,
): () => Promise<void> {
  const running = new Map<string, Promise<unknown>>()
  return async () => {
    for (const path of [...context.manifest.files.keys()].filter(isGuard)) {
      const ran = running.get(path) ?? run(path)
      running.set(path, ran)
      await ran
    }
    await startGuard(context, run)
  }
}
