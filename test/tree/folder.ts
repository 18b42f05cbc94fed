import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadSigner } from '../../src/keys/private.ts'
import { formatManifest, type Manifest } from '../../src/manifest/format.ts'
import { pageManifestName } from '../../src/manifest/names.ts'
import { signText, storeManifest, type Signer } from '../../src/manifest/sign.ts'
import { scratchFolder } from '../support/processes.ts'

/** A new folder with files; old enough that a later write gives a file another time. */
export async function folderOf(files: Record<string, string>): Promise<string> {
  const dir = scratchFolder()
  for (const [path, text] of Object.entries(files)) writeInto(dir, path, text)
  await sleep(20)
  return dir
}

export function writeInto(dir: string, path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true })
  writeFileSync(join(dir, path), text)
}

export const readFrom = (dir: string, path: string): string => readFileSync(join(dir, path), 'utf8')

/** A new key: Ed25519 because it is the quickest to make. */
export const newSigner = (): Promise<Signer> =>
  loadSigner(generateKeyPairSync('ed25519').privateKey)

export const sha256 = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex')

/** Writes a page manifest for files that stand in the folder, and gives its name. */
export async function addPageManifest(
  dir: string,
  signer: Signer,
  paths: string[],
  change: Partial<Manifest> = {},
): Promise<string> {
  const files = new Map(paths.map((path) => [path, sha256(readFileSync(join(dir, path)))]))
  const page: Manifest = { hash: 'sha256', name: 'shop', imports: new Map(), files, ...change }
  const text = new TextEncoder().encode(formatManifest(page))
  const name = pageManifestName('signedimp-manifest.txt', sha256(text))
  writeInto(dir, name, storeManifest([await signText(text, signer)], text))
  return name
}

/** Everything in a folder, to see that nothing changed in it. */
export const contentsOf = (dir: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file, sha256(readFileSync(file))]),
  )
