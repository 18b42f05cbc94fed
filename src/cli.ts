#!/usr/bin/env node
/**
 * The command line.
 * @module
 */
import { main } from './commands/main.js'

await main(process.argv.slice(2), new URL('../package.json', import.meta.url))
