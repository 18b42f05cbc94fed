import { realpathSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ended, enter } from './enter.js'

const own = fileURLToPath(import.meta.url)
const isMain = isStarted(own)

let main: unknown = {}
try {
  const file = enter(own, isMain)
  if (file !== undefined) main = await import(pathToFileURL(file).href)
} catch (error) {
  throw ended(error, isMain)
}

/** `import.meta.main` is not there in Node 22. */
function isStarted(file: string): boolean {
  try {
    return realpathSync(process.argv[1]!) === realpathSync(file)
  } catch {
    return false
  }
}

// The plugin hands on what the main chunk exports.
export { main as __signedimpMain }
