import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from '../support/files.ts'
import { readDocument } from '../support/markdown.ts'
import { pack } from './packed.ts'

const claims =
  /has at most (\d+) KB,\s+unpacked (\d+) KB,\s+installed with all of them ([\d.]+) MB/.exec(
    readDocument('README.md'),
  )!
const [packedSize, unpackedSize, installedSize] = [1e3, 1e3, 1e6].map(
  (unit, at) => Number(claims[at + 1]) * unit,
)

/** A claim is true when it is no less than what is measured, and not stale when it is little more. */
function checkClaim(size: number, claim: number): void {
  assert.ok(size <= claim, `${size} bytes, and the README says at most ${claim}`)
  assert.ok(size > claim * 0.9, `${size} bytes, far below the ${claim} that the README says`)
}

interface Locked {
  dev?: boolean
}

/** Folders of what npm installs with the package; optional peers are the user's own. */
function dependencies(): string[] {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8')
  const { packages } = JSON.parse(lock) as { packages: Record<string, Locked> }
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path]) => join(root, path))
}

const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)

const packed = pack()

test('the package is as large as the README says', () => {
  checkClaim(packed.size, packedSize!)
  assert.is(packed.size, statSync(packed.file).size)
})

test('the package is unpacked as large as the README says', () => {
  checkClaim(packed.unpackedSize, unpackedSize!)
})

test('what is installed with it is as large as the README says', () => {
  const folders = dependencies()
  assert.ok(folders.length > 1)
  const total = folders.map(sizeOf).reduce((sum, size) => sum + size, packed.unpackedSize)
  checkClaim(total, installedSize!)
})

test.run()
