/**
 * signedimp: the plugin for Vite, Rollup and Rolldown.
 * @module
 */
export { signedImp, signedImp as default } from './plugin/rollup.js'
export type { SignedImpOptions } from './plugin/options.js'
