import { realpathSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ended, enter } from './enter.js'

const own = fileURLToPath(import.meta.url)

let main: unknown
try {
  main = await import(pathToFileURL(enter(own)).href)
} catch (error) {
  throw ended(error, isMain(own))
}

/** `import.meta.main` is not there in Node 22. */
function isMain(file: string): boolean {
  try {
    return realpathSync(process.argv[1]!) === realpathSync(file)
  } catch {
    return false
  }
}

// The plugin hands on what the main chunk exports.
export { main as __signedimpMain }
