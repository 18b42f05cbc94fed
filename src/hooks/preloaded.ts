/** `signedimp/node` as what a runtime loads first: it must be told what to check, or nothing runs. */
import { writeSync } from 'node:fs'
import Module from 'node:module'
import { node } from './captured.js'
import { flaggedPreloads } from './earlier.js'
import { fromEnvironment } from './environment.js'
import { home, isRunning, register, takeTold } from './manager.js'
import { toPath } from './options.js'
import type { RegisterHooks } from './sync.js'

/** Registers what the environment says. Ends the program, with one line, where it may not start. */
export function startFromEnvironment(): void {
  if (isRunning()) return
  // A child is told by its parent: where the environment leads to, there may be another release by now.
  const told = takeTold()
  if (told) return register(told)
  try {
    const options = fromEnvironment(process.env, process.argv[1])
    if (options) register(options)
    else if (flaggedPreloads().some(isSelf)) throw new TypeError(untold)
    else awaitStart()
  } catch (error) {
    writeSync(2, `signedimp: ${(error as Error).message}\n`)
    process.exit(1)
  }
}

const untold =
  'SIGNEDIMP_KEY and SIGNEDIMP_NAME must be set, or SIGNEDIMP_CONFIG, or register() be called'

const isSelf = (name: string): boolean =>
  name === 'signedimp/node' || isSame(toPath(name), node.fileURLToPath(home))

/** Something else loads this package first, to register something: before the program runs, it must have. */
function awaitStart(): void {
  const { registerHooks } = Module as unknown as { registerHooks?: RegisterHooks }
  const entry = process.argv[1]
  if (!registerHooks || entry === undefined) return
  const handle = registerHooks({
    resolve: (specifier, context, next) => next(specifier, context),
    load(url, context, next) {
      if (!isRunning() && url.startsWith('file:') && isSame(node.fileURLToPath(url), entry))
        throw new TypeError(untold)
      if (isRunning()) handle.deregister()
      return next(url, context)
    },
  })
}

function isSame(file: string, other: string): boolean {
  try {
    return node.realpathSync(file) === node.realpathSync(node.resolve(other))
  } catch {
    return false
  }
}
