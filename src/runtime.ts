/**
 * signedimp in the page: fetches the app's own files checked, and loads folders that others signed, from anywhere, each
 * checked by its own keys.
 * @module
 */
export { signedFetch, signedURL } from './page/signed-fetch.js'
export type { PublicKey } from './crypto/given.js'
export type { ManagerOptions, RootOptions } from './manifest/manager-options.js'
export { SignedImportManager, type InstalledManager } from './page/manager.js'
