import { isGuard } from '../manifest/path.js'
import type { Guarded } from './workers.js'
import { startGuard } from './workers.js'

/**
 * Has the files that guard `fetch` and workers run, once each, where the manifest lists them: a build makes them where there
 * is something to guard. Before anything of the app runs, or that could keep the browser's own.
 * @param run runs a listed file of ours, checked
 */
export function createGuarding(
  context: Guarded,
  run: (path: string) => Promise<unknown>,
): () => Promise<unknown> {
  let running: Promise<unknown> | undefined
  return async () => {
    const path = [...context.manifest.files.keys()].find(isGuard)
    if (path !== undefined) await (running ??= run(path))
    await startGuard(context, run)
  }
}
