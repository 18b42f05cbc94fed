import type { Fate } from './policies.ts'

/** What becomes of a worker: it runs checked; it is refused by an error with a code; or the policy stops it. */
export type WorkerFate = 'runs' | 'refused' | 'blocked'

/** A policy for pages with workers, and what becomes of these in all engines. */
export interface WorkerPolicy {
  /** Value of Content-Security-Policy. */
  policy: string
  kind: 'inline' | 'linked'
  enforcement: Extract<Fate, 'map' | 'blob' | 'tags'>
  /** Of a worker that the page fetched before. */
  before: WorkerFate
  /** Of one that fetches itself. */
  itself: WorkerFate
  /** Of what a worker imports later. */
  lazy: WorkerFate
}

type Row = [
  policy: string,
  kind: WorkerPolicy['kind'],
  enforcement: WorkerPolicy['enforcement'],
  before: WorkerFate,
  itself: WorkerFate,
  lazy: WorkerFate,
]

const rows: Row[] = [
  [`script-src BOOTSTRAP 'strict-dynamic'`, 'inline', 'map', 'runs', 'runs', 'runs'],
  [
    `script-src BOOTSTRAP 'strict-dynamic'; worker-src blob:`,
    'inline',
    'map',
    'runs',
    'runs',
    'runs',
  ],
  [`script-src 'self' 'nonce-abc'`, 'inline', 'map', 'blocked', 'blocked', 'blocked'],
  [
    `script-src 'self' 'nonce-abc'; worker-src blob:`,
    'inline',
    'map',
    'runs',
    'refused',
    'refused',
  ],
  [`script-src 'self' blob:`, 'linked', 'blob', 'runs', 'runs', 'runs'],
  [`script-src 'self'; worker-src blob:`, 'linked', 'tags', 'runs', 'refused', 'refused'],
  [
    `default-src 'none'; connect-src 'self'; script-src 'self' 'nonce-abc'; worker-src blob:`,
    'inline',
    'map',
    'runs',
    'refused',
    'refused',
  ],
  [
    `require-trusted-types-for 'script'; trusted-types signedimp`,
    'inline',
    'map',
    'runs',
    'runs',
    'runs',
  ],
]

/**
 * Policies of pages with workers, in builds with `workersFirst`. docs/csp.md has them as a table, and
 * test/browser/workers-policies.test.ts tries each. BOOTSTRAP stands for the hash of the bootstrap.
 */
export const workerPolicies: WorkerPolicy[] = rows.map(
  ([policy, kind, enforcement, before, itself, lazy]) => ({
    policy,
    kind,
    enforcement,
    before,
    itself,
    lazy,
  }),
)
