import { hex } from '../crypto/bytes.js'
import type { TrustedKey } from '../crypto/key.js'
import { webCrypto } from '../crypto/webcrypto.js'
import type { SignedImpError } from '../errors.js'
import { verifyManifest, type VerifiedManifest } from '../manifest/verify.js'
import { pathToUrl } from '../manifest/path.js'
import { download, type Download } from './download.js'
import { refusal } from './refuse.js'

/** Where an app's files are, and how its manifest is checked. */
export interface Root {
  manifest: VerifiedManifest
  base: string
  /** The newest manifest of the app, as a URL. */
  latest: string
  keys: readonly TrustedKey[]
  threshold: number
  credentials: RequestCredentials
}

const maxFileBytes = 1 << 26

/** A file and everything that it imports, statically, whether the browser named the one it refused or not. */
export function closure({ imports }: VerifiedManifest, path: string): Set<string> {
  const paths = new Set([path])
  for (const from of paths) for (const { path: to } of imports.get(from) ?? []) paths.add(to)
  return paths
}

/**
 * Finds out why the browser refused a module. Engines do not say, so the files are fetched a second time, for
 * diagnosis only: nothing that comes back is ever run.
 * @returns a refusal, or undefined when a second fetch sees nothing wrong
 */
export async function diagnose(root: Root, path: string): Promise<SignedImpError | undefined> {
  const found = await Promise.all(
    [...closure(root.manifest, path)].map((file) => inspect(root, file)),
  )
  return found.find((refused) => refused)
}

async function inspect(root: Root, path: string): Promise<SignedImpError | undefined> {
  const url = pathToUrl(path, root.base)
  try {
    const { credentials } = root
    // `reload` also replaces what a cache on the way to the page may hold, so that a retry can succeed.
    return await judge(
      root,
      path,
      await download(url, path, { credentials, cache: 'reload' }, maxFileBytes),
    )
  } catch (error) {
    return error as SignedImpError
  }
}

async function judge(
  root: Root,
  path: string,
  { response, bytes }: Download,
): Promise<SignedImpError | undefined> {
  const { hash, files } = root.manifest
  const { status, redirected } = response
  const type = response.headers.get('content-type') ?? ''
  const seen = hex(await webCrypto.digest(hash, bytes))
  const saw = (code: 'CHANGED' | 'MISSING' | 'NETWORK' | 'REFUSED', what: string) =>
    refusal(code, `a second fetch saw ${what}`, path)
  if (status !== 200 && status !== 404 && status !== 410) return saw('NETWORK', `status ${status}`)
  if (status === 200 && seen === files.get(path))
    return /script|json/.test(type) ? undefined : saw('REFUSED', `the type "${type}"`)
  if (await isListedByLatest(root, path, seen))
    return refusal('VERSION_SKEW', 'a newer build was deployed; reload the page', path)
  if (status !== 200 || /html/.test(type))
    return saw('MISSING', `status ${status} and the type "${type}"`)
  const [twin] = [...files].find(([, digest]) => digest === seen) ?? []
  return saw(
    'CHANGED',
    redirected
      ? `a redirect to ${response.url}`
      : twin
        ? `the bytes of ${twin}`
        : `${bytes.length} bytes that are not the signed ones`,
  )
}

/** Whether the app's newest manifest is another one and explains what was seen. */
async function isListedByLatest(
  { manifest, latest, keys, threshold, credentials }: Root,
  path: string,
  seen: string,
): Promise<boolean> {
  try {
    const { name, build = 0 } = manifest
    const { bytes } = await download(latest, '', { credentials, cache: 'no-cache' }, maxFileBytes)
    const newest = await verifyManifest(bytes, { keys, threshold, name }, webCrypto)
    const listed = newest.files.get(path)
    return (
      (newest.build ?? 0) >= build &&
      listed !== manifest.files.get(path) &&
      (!listed || listed === seen)
    )
  } catch {
    return false
  }
}
