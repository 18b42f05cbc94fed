import { hex } from '../crypto/bytes.js'
import { SignedImpError, type SignedImpCode } from '../errors.js'
import { verifyManifest } from '../manifest/verify.js'
import type { Boot, Mapped } from './context.js'
import { download, maxFileBytes, type Download } from './download.js'
import { diagnoseExternal, namedPaths } from './external.js'

/**
 * Finds out why the browser refused one of several modules. Engines do not say, so the files are fetched a
 * second time, for diagnosis only: nothing that comes back is ever run.
 * @returns a refusal that names the file, or undefined when a second fetch sees nothing wrong
 */
export async function diagnose(
  context: Boot & Pick<Mapped, 'map'>,
  paths: Iterable<string>,
): Promise<SignedImpError | undefined> {
  const lookAt = async (files: Iterable<string>) =>
    (await Promise.all([...files].map((file) => inspect(context, file)))).find((found) => found)
  const asked = new Set(paths)
  const found = await lookAt(asked)
  if (__MODULE__ || found) return found
  // A file is asked for once: a host that answers by turns cannot contradict itself here.
  const others = namedPaths(context).filter((path) => !asked.has(path))
  return (await lookAt(others)) ?? diagnoseExternal(context)
}

async function inspect(context: Boot, path: string): Promise<SignedImpError | undefined> {
  try {
    const credentials = context.credentials!
    // `reload` also replaces what a cache on the way to the page may hold, so that a retry can succeed.
    const again = await download(context.toUrl(path), maxFileBytes, {
      credentials,
      cache: 'reload',
    })
    return await judge(context, path, again)
  } catch (error) {
    return new SignedImpError(
      (error as SignedImpError).code,
      'a second fetch got no whole answer; try again',
      { path, cause: error },
    )
  }
}

async function judge(
  context: Boot,
  path: string,
  { response, bytes }: Download,
): Promise<SignedImpError | undefined> {
  const { hash, files } = context.manifest
  const { status, redirected, url } = response
  const type = response.headers.get('content-type')
  const seen = hex(await context.verifier.digest(hash, bytes))
  const saw = (code: SignedImpCode, what: string) =>
    new SignedImpError(code, `a second fetch saw ${what}`, { path })
  const isAbsent = status === 404 || status === 410

  if (status !== 200 && !isAbsent)
    return saw('ERR_SIGNEDIMP_NETWORK', `status ${status}; try again`)
  const wanted = path.endsWith('.css') ? 'css' : 'javascript'
  if (!isAbsent && seen === files.get(path) && !redirected)
    return new RegExp(wanted + '|script|json').test(type!)
      ? undefined
      : saw(
          'ERR_SIGNEDIMP_REFUSED',
          `the signed bytes under the type "${type}"; the server must call it text/${wanted}`,
        )
  if (await isNewer(context, path, seen))
    return new SignedImpError(
      'ERR_SIGNEDIMP_VERSION_SKEW',
      'a newer build was deployed; reload the page',
      { path },
    )
  if (isAbsent || (/html/.test(type!) && !/html/.test(path)))
    return saw(
      'ERR_SIGNEDIMP_MISSING',
      `no such file (status ${status}, "${type}"); keep the files of older builds, and deploy this one whole`,
    )
  const [twin] = [...files].find(([, digest]) => digest === seen) ?? []
  return saw(
    'ERR_SIGNEDIMP_CHANGED',
    redirected
      ? `a redirect to ${url}`
      : twin
        ? `the bytes of ${twin}`
        : bytes.length
          ? 'other bytes than the signed ones'
          : 'an empty file',
  )
}

/** Whether the app's newest manifest is another one, no older, and explains what was seen. */
async function isNewer(
  { pinned, verifier, manifest, url, credentials }: Boot,
  path: string,
  seen: string,
): Promise<boolean> {
  try {
    const newest = url.replace(/\.[0-9a-f]{16}(?=\.\w+$)/, '')
    const { bytes } = await download(newest, maxFileBytes, {
      credentials: credentials!,
      cache: 'no-cache',
    })
    const { build, files } = await verifyManifest(
      bytes,
      { ...pinned, name: manifest.name },
      verifier,
    )
    const listed = files.get(path)
    return (
      (build ?? 0) >= (manifest.build ?? 0) &&
      listed !== manifest.files.get(path) &&
      (!listed || listed === seen)
    )
  } catch {
    return false
  }
}
