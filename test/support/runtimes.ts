import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './files.ts'

/** A program that runs JavaScript, besides the Node that runs the tests. */
export interface Runtime {
  name: string
  /** The program, and its arguments before a script. */
  command: readonly [program: string, ...args: string[]]
  /** Why it cannot be run here, if so. */
  missing: string | undefined
}

/** The folder whose package.json names them. They come from npm, without scripts, and for Linux on x64 only. */
export const runtimesFolder: string = join(root, 'test/runtimes')

const programs: Record<string, [file: string, ...args: string[]]> = {
  node22: ['bin/node'],
  node24: ['bin/node'],
  node26: ['bin/node'],
  '@oven/bun-linux-x64': ['bin/bun'],
  '@deno/linux-x64-glibc': ['deno', 'run', '--allow-all', '--no-prompt'],
}

/** All of them, each in the version that the lock file has. */
export function runtimes(): Runtime[] {
  return Object.entries(programs).map(([name, [file, ...args]]) => {
    const folder = join(runtimesFolder, 'node_modules', name)
    const [wanted, found] = [lockedVersion(name), installedVersion(folder)]
    const missing = found === wanted ? undefined : `found ${found ?? 'none'}, ${advice}`
    const title = `${/node|bun|deno/.exec(name)![0]} ${wanted}`
    return { name: title, command: [join(folder, file), ...args], missing }
  })
}

const advice = 'npm ci --prefix test/runtimes installs it, on Linux on x64'

function lockedVersion(name: string): string {
  const lock = readFileSync(join(runtimesFolder, 'package-lock.json'), 'utf8')
  return JSON.parse(lock).packages[`node_modules/${name}`].version
}

function installedVersion(folder: string): string | undefined {
  const file = join(folder, 'package.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined
}
