import { createPrivateKey, type KeyObject } from 'node:crypto'
import { parse, type DefaultTreeAdapterTypes } from 'parse5'
import { signedImp, type SignedImpOptions } from 'signedimp'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { verifyManifest, type VerifiedManifest } from '../../src/manifest/verify.ts'
import { scratchFolder } from '../support/processes.ts'
import { writeFiles } from '../support/fixture.ts'

/** A chunk, as bundlers hand it over. */
export interface Chunk {
  code: string
  isEntry: boolean
}

/** A chunk that something outside of the graph loads. */
export const entry = (code: string): Chunk => ({ code, isEntry: true })

/** A chunk that others import. */
export const chunk = (code: string): Chunk => ({ code, isEntry: false })

/** Files of a bundle: chunks as such, everything else as assets. */
export type Bundled = Record<string, Chunk | string | Uint8Array>

export interface EmitOptions extends SignedImpOptions {
  base?: string
  /** A key in memory, or its PEM text. */
  key?: KeyObject | string
  /** Files of the public folder. */
  publicFiles?: Record<string, string | Uint8Array>
  /** What the bundler says that its chunks are. */
  format?: string
  /** Of Vite's own `build` options, those that are not the same in every test. */
  viteBuild?: { manifest?: boolean | string }
}

/** An output after the plugin saw it. */
export interface EmittedFiles {
  files: Map<string, Uint8Array>
  text(path: string): string
  /** The page manifest, verified. */
  manifest: VerifiedManifest
  manifestPath: string
  manifestText: string
  /** Every page manifest, verified, by name. */
  manifests: Map<string, VerifiedManifest>
  /** What the bundler was told. */
  warnings: string[]
}

/** The key of all outputs that are not given another. */
export const key = await generateKey('ed25519')

/** Hands a bundle to the built plugin, as a bundler would, and gives what it made of it. */
export async function emit(bundled: Bundled, options: EmitOptions = {}): Promise<EmittedFiles> {
  const { base = '/', key: own = key, publicFiles, format = 'es', viteBuild, ...rest } = options
  const plugin = signedImp(own, { name: 'shop', ...rest })
  const bundle = toBundle(bundled)
  plugin.configResolved(await configOf(base, publicFiles, viteBuild))
  const emitFile = (file: { fileName: string; source: string | Uint8Array }) => {
    bundle[file.fileName] = { type: 'asset', fileName: file.fileName, source: file.source }
    return file.fileName
  }
  const warnings: string[] = []
  const warn = (warning: string) => void warnings.push(warning)
  const context = { emitFile, warn, info() {} }
  await plugin.generateBundle.handler.call(context, { format }, bundle, false)
  const files = await read(bundle, typeof own === 'string' ? createPrivateKey(own) : own)
  return { ...files, warnings }
}

type BundleFile = {
  type: string
  fileName: string
  code?: string
  source?: string | Uint8Array
  isEntry?: boolean
}

const toBundle = (bundled: Bundled): Record<string, BundleFile> =>
  Object.fromEntries(
    Object.entries(bundled).map(([fileName, file]) => [
      fileName,
      typeof file === 'object' && 'code' in file
        ? { type: 'chunk', fileName, ...file }
        : { type: 'asset', fileName, source: file },
    ]),
  )

async function configOf(
  base: string,
  publicFiles: EmitOptions['publicFiles'],
  viteBuild: EmitOptions['viteBuild'],
) {
  const publicDir = publicFiles ? scratchFolder() : ''
  if (publicFiles) await writeFiles(publicDir, publicFiles)
  return {
    root: scratchFolder(),
    base,
    command: 'build',
    publicDir,
    plugins: [],
    build: { outDir: 'dist', ssr: false, copyPublicDir: true, write: false, ...viteBuild },
    logger: { info() {}, warn() {} },
  }
}

async function read(
  bundle: Record<string, BundleFile>,
  own: KeyObject,
): Promise<Omit<EmittedFiles, 'warnings'>> {
  const files = new Map(
    Object.values(bundle).map(({ fileName, code, source }) => [
      fileName,
      Buffer.from((code ?? source ?? '') as string),
    ]),
  )
  const paths = [...files.keys()].filter((path) => /-manifest\.[0-9a-f]{16}\.txt$/.test(path))
  const text = (path: string) => files.get(path)!.toString('utf8')
  const trust = { keys: [toTrustedKey(own)], threshold: 1, name: 'shop' }
  const read = (path: string) => verifyManifest(files.get(path)!, trust, nodeCrypto)
  const manifests = new Map<string, VerifiedManifest>()
  for (const path of paths) manifests.set(path, await read(path))
  const [[manifestPath, manifest]] = [...manifests] as [[string, VerifiedManifest]]
  return { files, text, manifest, manifestPath, manifestText: text(manifestPath), manifests }
}

/** An element of a page, as a browser would see it. */
export interface Element {
  name: string
  attributes: Record<string, string>
  text: string
  /** Names of the elements that it stands in, the nearest first. */
  within: string[]
}

/** The elements of a page that a browser would see, in order; templates included. */
export function elementsOf(html: string): Element[] {
  const elements: Element[] = []
  const visit = (node: DefaultTreeAdapterTypes.Node, within: string[]) => {
    const inside = 'tagName' in node ? [node.tagName, ...within] : within
    if ('tagName' in node) elements.push(toElement(node, within))
    if ('childNodes' in node) for (const child of node.childNodes) visit(child, inside)
    if ('content' in node) visit(node.content, inside)
  }
  visit(parse(html), [])
  return elements
}

function toElement(node: DefaultTreeAdapterTypes.Element, within: string[]): Element {
  const [text] = node.childNodes
  return {
    name: node.tagName,
    attributes: Object.fromEntries(node.attrs.map(({ name, value }) => [name, value])),
    text: text && 'value' in text ? text.value : '',
    within,
  }
}

/** The element that brings the bootstrap into a page. */
export const carrierOf = (html: string): Element | undefined =>
  elementsOf(html).find(({ attributes }) => 'data-manifest' in attributes)
