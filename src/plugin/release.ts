import { resolve } from 'node:path'
import type { TrustedKey } from '../crypto/key.js'
import type { Release } from '../emit/release.js'
import { isOwnUrl } from '../emit/graph.js'
import { arePure, needsRsa, readPageCode, readReportOnly } from '../emit/page-code.js'
import { readProgramCode } from '../emit/program-bootstrap.js'
import { loadSigner } from '../keys/private.js'
import { isPem } from '../keys/source.js'
import { isPublicKey, loadPublicKey, type PublicKeySource } from '../keys/public.js'
import { generateKey } from '../keys/generate.js'
import type { Signer } from '../manifest/sign.js'
import { findPackageName } from '../tree/package-name.js'
import { findSecrets } from './guard.js'
import type { ResolvedOptions } from './options.js'

/** Where a build takes place. */
export interface Place {
  root: string
  /** Where the files will be: a URL or path with its last slash, or `''` for wherever the pages are. */
  base: string
  /** A folder whose files are copied to the output as they are, if there is one. */
  publicDir: string | undefined
  /** Path of the list of chunks that Vite writes for backends, if it does. */
  viteManifest?: string | undefined
  /** Whether what is built is a program for servers. */
  isProgram?: boolean
}

/** What a build signs with, and what gives its key away. */
export interface Keys {
  release: Release
  secrets: string[]
}

/**
 * Reads the key and what else the options only name.
 * @throws as {@link readRelease} does
 */
export async function readKeys(
  options: ResolvedOptions,
  { root, base, viteManifest, isProgram = false }: Omit<Place, 'publicDir'>,
): Promise<Keys> {
  if (isProgram && options.mode === 'report-only') throw noReportOnly
  const program = isProgram ? { program: await readProgramCode() } : {}
  const release = { ...(await readRelease(options, root, base)), viteManifest, ...program }
  return { release, secrets: await findSecrets(options.key, root) }
}

/** Reads once, when it is first asked for; after a failure again, for a later build may find the key that this one did not. */
export function remember<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined
  return () =>
    (reading ??= read().catch((error) => {
      reading = undefined
      throw error
    }))
}

/**
 * Reads what the options only name: keys, the package's name, the built bootstrap. Relative paths start at `root`.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY`, `ERR_SIGNEDIMP_PASSWORD`; TypeError without any name
 */
export async function readRelease(
  options: ResolvedOptions,
  root: string,
  base: string,
): Promise<Release> {
  const {
    threshold,
    hash,
    manifest,
    build,
    expires,
    inline,
    tags,
    policy,
    unverified,
    headers,
    external,
  } = options
  for (const [option, isOn] of [
    ['"tags"', tags],
    ["html: 'backend'", options.html === 'backend'],
  ] as const)
    if (isOn && !/^(\/(?!\/)|https?:\/\/)/.test(base)) throw noAbsoluteBase(option, base)
  const { own, signer } = await readOwnKey(options, root)
  const keys = await readTrustedKeys(own, options, root)
  return {
    signer,
    keys,
    threshold,
    name: await readName(options, root),
    build,
    expires,
    hash,
    manifestName: manifest,
    base,
    inline,
    pagesLater: options.html === 'later',
    backend: options.html === 'backend',
    tags,
    policy,
    headers,
    external: external.size > 0 ? refuseOwn(external, base) : external,
    fallback: options.fallback,
    reportTo: options.reportTo,
    unverified,
    workersFirst: options.workersFirst,
    resources: options.resources,
    page: await readPageCode(keys, options.pure, options.remember),
    reportOnly:
      options.mode === 'report-only' ? await readReportOnly(keys, options.pure) : undefined,
  }
}

/** @throws TypeError on what is no external module, but a file where those of the output are */
function refuseOwn(external: Release['external'], base: string): Release['external'] {
  const own = [...external.keys()].find((url) => isOwnUrl(url, base))
  if (own === undefined) return external
  throw new TypeError(`signedImp: "external" must be free of URLs below "base"; ${own} is one`)
}
const noReportOnly = new TypeError(
  `signedImp: "mode" must be 'on' or 'off' in a build for servers: 'report-only' is for pages`,
)

const noAbsoluteBase = (option: string, base: string): TypeError =>
  new TypeError(
    `signedImp: ${option} needs the place of the files, from the root of their host or with it (Vite's "base", esbuild's "publicPath"); it is ${base === '' ? 'relative or not given' : `'${base}'`}`,
  )

/** The keys that pages accept, each once, the build's own first. @throws TypeError where the options ask too much of them */
async function readTrustedKeys(
  own: TrustedKey,
  { keys, threshold, pure }: ResolvedOptions,
  root: string,
): Promise<TrustedKey[]> {
  const others = await Promise.all(keys.map((source) => loadPublicKey(locate(source, root))))
  const distinct = new Map([own, ...others].map((trusted) => [trusted.fingerprint, trusted]))
  if (threshold > distinct.size)
    throw new TypeError(
      `signedImp: "threshold" must be at most ${distinct.size}, the number of different keys; it is ${threshold}`,
    )
  const trusted = [...distinct.values()]
  if (pure && !arePure(trusted)) throw new TypeError(`signedImp: "pure" ${needsRsa}`)
  return trusted
}

async function readName({ name }: ResolvedOptions, root: string): Promise<string> {
  const found = name ?? (await findPackageName(root))
  if (found !== undefined) return found
  throw new TypeError(
    'signedImp: "name" must say which app and channel this is, because no package.json names it',
  )
}

/**
 * The key that the build is given, and who signs with it: nobody, where it is a public one.
 * @throws SignedImpError `ERR_SIGNEDIMP_KEY`, `ERR_SIGNEDIMP_PASSWORD`; TypeError where pages could not be signed later
 */
export async function readOwnKey(
  { key, password, inline }: ResolvedOptions,
  root: string,
): Promise<{ own: TrustedKey; signer: Signer | undefined }> {
  // Not Ed25519: WebKitGTK 2.50 dies of verifying a text of more than 64 KiB with it.
  const source = key ?? (await generateKey('ecdsa-p256'))
  if (!(await isPublicKey(source, root))) {
    const secret = password === undefined ? {} : { password }
    const signer = await loadSigner(source, { cwd: root, ...secret })
    return { own: signer.key, signer }
  }
  if (inline === 'all')
    throw new TypeError(
      "signedImp: inline: 'all' puts the signature of this build into the pages, so that the key must be a private one; it is a public key",
    )
  const place = { cwd: root, option: 'key' }
  return { own: await loadPublicKey(source as PublicKeySource, place), signer: undefined }
}

const locate = (source: PublicKeySource, root: string): PublicKeySource =>
  typeof source === 'string' && !isPem(source) ? resolve(root, source) : source
