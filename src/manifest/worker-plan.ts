/** What the build knows of workers. */
export interface WorkerPlan {
  /** By the path of a worker's script: what that may load, itself included; null where only its run tells. */
  reach: Record<string, string[] | null>
  /** By the path of a module: the workers that its text names. */
  named: Record<string, string[]>
  /** Paths and URLs of scripts that `unverified` names: they run as the browser runs them. */
  unverified: string[]
  /** Pattern of the files that `fetch` gives only as they are signed. */
  guarded: string
  /** Whether workers are fetched before the code runs that names them. */
  first: boolean
}
