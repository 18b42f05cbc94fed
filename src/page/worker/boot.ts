/** What a page hands to each of its workers. All of it is JSON. */
import type { HashType } from '../../crypto/algorithms.js'
import type { StaticImport } from '../../manifest/format.js'
import type { WorkerPlan } from '../../manifest/worker-plan.js'
import type { Pinned } from '../context.js'

/** What a worker starts with: the part of the page's verified manifest that it may need. */
export interface WorkerBoot {
  plan: WorkerPlan
  /** Path of the worker's script. */
  path: string
  isModule: boolean
  /** The manifest's URL. */
  url: string
  name: string
  build: number | undefined
  hash: HashType
  files: [path: string, digest: string][]
  imports: [path: string, list: StaticImport[]][]
  pinned: Pinned
  credentials: RequestCredentials | undefined
  /** Name of the channel on which refusals are told to the page. */
  channel: string
  /** URLs of modules that were linked before the worker was made; absent where the worker has to load its script itself. */
  blobs?: Record<string, string>
  /** Workers that this one may start at once. */
  roots?: Record<string, Roots>
}

/** URLs of blobs that start a worker, by its type. */
export type Roots = Partial<Record<'module' | 'classic', string>>

/** Whether a worker starts, as opposed to a page. */
export const isBoot = (given: WorkerPlan | WorkerBoot): given is WorkerBoot => 'path' in given
