/** `signedimp/node` as what a runtime loads first: it must be told what to check, or nothing runs. */
import { writeSync } from 'node:fs'
import { awaitStart, isSame } from './await-start.js'
import { node } from './captured.js'
import { flaggedPreloads } from './earlier.js'
import { fromEnvironment } from './environment.js'
import { home, register, running, told } from './manager.js'
import { toPath } from './options.js'

/** Registers what the environment says. Ends the program, with one line, where it may not start. */
export function startFromEnvironment(): void {
  // The parent is who reads the environment.
  if (running[0] === 1 || told in globalThis) return
  try {
    const options = fromEnvironment(process.env, process.argv[1])
    if (options) register(options)
    else if (flaggedPreloads().some(isSelf)) throw new TypeError(untold)
    else awaitStart(running, () => end(untold))
  } catch (error) {
    end((error as Error).message)
  }
}

function end(message: string): never {
  writeSync(2, `signedimp: ${message}\n`)
  return process.exit(1)
}

const untold =
  'SIGNEDIMP_KEY and SIGNEDIMP_NAME must be set, or SIGNEDIMP_CONFIG, or register() be called'

const isSelf = (name: string): boolean =>
  name === 'signedimp/node' || isSame(toPath(name), node.fileURLToPath(home))
