/** The last step of a build: deletes the declarations that the types of no entry point need. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'dist')

/** The files that TypeScript reads for whoever imports the package. */
function findNeeded(): Set<string> {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, { types?: string }>
  }
  const entries = Object.values(exports).flatMap(({ types }) => types ?? [])
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['--ignoreConfig', '--listFilesOnly', '--module', 'nodenext', '--types', 'node']
  const listed = execFileSync(process.execPath, [tsc, ...options, ...entries], {
    cwd: root,
    encoding: 'utf8',
  })
  return new Set(listed.split(/\r?\n/).map((file) => resolve(file)))
}

/** @returns whether anything is left in the folder */
function prune(folder: string, needed: ReadonlySet<string>): boolean {
  const kept = readdirSync(folder, { withFileTypes: true }).filter((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return prune(path, needed)
    if (!entry.name.endsWith('.d.ts') || needed.has(path)) return true
    rmSync(path)
    return false
  })
  if (kept.length === 0) rmdirSync(folder)
  return kept.length > 0
}

prune(dist, findNeeded())
