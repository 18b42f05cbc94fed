/**
 * signedimp for programs: what Node, Deno or Bun load is checked against signed manifests. As
 * `node --import signedimp/node`, it reads its options from the environment.
 * @module
 */
import { startFromEnvironment } from './hooks/preloaded.js'

export type { PublicKey } from './crypto/given.js'
export type {
  ManagerOptions,
  RegisteredRoot,
  RegisterOptions,
  RootOptions,
} from './hooks/options.js'
export { register, SignedImportManager } from './hooks/manager.js'
export { SignedImpError } from './errors.js'

startFromEnvironment()
