/**
 * What `node:module` is for modules in Deno: it has copied what they import of it by name before anybody can lock it, so that
 * they are given this in its place.
 */
import { isDeno, Module } from './builtins.js'
import { answer, type Loaded, type Resolved } from './decide.js'

const url = 'file:///signedimp/node-module.mjs'

const names = Object.getOwnPropertyNames(Module).filter(
  (name) => !/^(length|name|prototype)$/.test(name),
)

// Two that Deno exports, and that are no properties.
const source = `const module = process.getBuiltinModule('node:module')
export default module
export const { ${names.join(', ')} } = module
export const { registerHooks: register } = module, { getBuiltinModule } = process`

/** @param found what the loader says that a module has asked for */
export const standInFor = (found: Resolved): Resolved =>
  isDeno && found.url === 'node:module' ? answer({ url, format: 'module' }) : found

/** What is handed over for a URL, if it is this one. */
export const loadStandIn = (wanted: string): Loaded | undefined =>
  isDeno && wanted === url ? answer({ format: 'module', source }) : undefined
