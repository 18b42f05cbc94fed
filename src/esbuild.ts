/**
 * signedimp/esbuild: the plugin for esbuild.
 * @module
 */
export type { SignedImpOptions } from './plugin/options.js'
export { signedImp, signedImp as default } from './plugin/esbuild/plugin.js'
