/**
 * The file that checks what workers run. A page runs it before its main chunk where the build has workers; then it is
 * what each worker runs first, too: as `$signedimp`, the function around all of it, whose text a page can hand on.
 *
 * What there is to know of it from outside:
 * - The build puts a `WorkerPlan` into it (src/emit/workers.ts), and lists it as `signedimp-workers-<hash>.js`.
 * - A page's runtime runs it with `startGuard` (src/page/workers.ts), which finds it in the manifest. It then puts `workers`
 *   into the runtime's context: `prepareFor(path)` fetches the workers that the modules at and below a path name.
 * - `guardWorkers` (guard.ts) stands in the place of `Worker`, and asks `createRoots` (roots.ts) for the URL of a blob
 *   that starts a listed script: `(P)` of its bytes, where they were prepared, else `(S)` one that fetches them itself.
 * - In a worker, `startWorker` (scope.ts) sets the environment (environment.ts: a wrapper of `fetch` belongs behind
 *   `setRequests`), `__signedimp`, `importScripts` (import-scripts.ts) and `Worker`; and under (S) holds messages (hold.ts)
 *   until the script is there. Refusals reach the page by relay.ts.
 */
import { isBoot } from './boot.js'
import { guardPage } from './page.js'
import { startWorker } from './scope.js'

if (isBoot($boot)) startWorker($boot)
else guardPage($boot)
