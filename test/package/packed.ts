import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../support/files.ts'
import { scratchFolder } from '../support/processes.ts'

/** What `npm pack` made. */
export interface Packed {
  /** The tarball. */
  file: string
  /** Bytes of the tarball. */
  size: number
  /** Bytes of the files in it. */
  unpackedSize: number
  /** Paths of the files in it. */
  paths: string[]
}

/** Packs a checkout as it is built. */
export function pack(checkout: string = root): Packed {
  const destination = scratchFolder()
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', destination]
  const output = execFileSync('npm', args, {
    cwd: checkout,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  })
  const [{ filename, size, unpackedSize, files }] = JSON.parse(output)
  const paths = files.map(({ path }: { path: string }) => path)
  return { file: join(destination, filename), size, unpackedSize, paths }
}

/** A new folder of somebody who has installed the tarball, and beside it what this checkout has of other packages. */
export function install({ file }: Packed, others: readonly string[]): string {
  const folder = scratchFolder()
  const own = join(folder, 'node_modules/signedimp')
  mkdirSync(own, { recursive: true })
  execFileSync('tar', ['-xzf', file, '-C', own, '--strip-components=1'])
  for (const name of others) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link, 'junction')
  }
  return folder
}
