import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/**
 * The name in the nearest package.json at or above a folder, of those that have one.
 * @throws TypeError when the nearest is no JSON: the next one above it is likely another app's
 */
export async function findPackageName(from: string = process.cwd()): Promise<string | undefined> {
  for (let dir = resolve(from), above; dir !== above; above = dir, dir = dirname(dir)) {
    const name = await nameIn(join(dir, 'package.json'))
    if (name !== undefined) return name
  }
  return undefined
}

async function nameIn(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const { name } = JSON.parse(text) as { name?: unknown }
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch (cause) {
    throw new TypeError(`${file} is no JSON, so that it names no package; give "name"`, { cause })
  }
}
