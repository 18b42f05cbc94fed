import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { emitOutput, digestOf, type Release } from '../emit/emit.js'
import { createReport, formatReport, type Report } from '../emit/report.js'
import { isPage, type Output } from '../emit/output.js'
import { rewriterVersion } from '../emit/rewrite.js'
import { hashFiles } from '../tree/hash.js'
import { walk } from '../tree/walk.js'
import { checkFolder, openFolder, sealFolder, unsealFolder, type OutputFolder } from './folder.js'
import { denyKey, keyFileOf, refuseKeyIn, refuseKeyModule, refuseKeyText } from './guard.js'
import { resolveOptions, type SignedImpOptions } from './options.js'
import { readRelease } from './release.js'
import type {
  Bundle,
  HookContext,
  ModulePreload,
  OutputOptions,
  Plugin,
  ViteConfig,
  ViteUserConfig,
} from './types.js'
import type { KeySource } from '../keys/private.js'

/**
 * Signs what a build emits, and makes its pages run nothing else.
 * @param key a PEM file or text, a URL, a `KeyObject` or a signer `{ publicKey, sign }`; without any argument, a
 *   one-time key signs this build and is forgotten
 * @throws TypeError on any option that is unknown or wrong, naming it
 */
export function signedImp(key?: KeySource, options?: SignedImpOptions): Plugin
export function signedImp(...args: unknown[]): Plugin {
  const options = resolveOptions(args)
  const isOn = options.mode === 'on'
  let vite: ViteConfig | undefined
  let release: Promise<Release> | undefined
  const folders = new Map<string, OutputFolder>()
  const pageManifests = new Set<string>()
  let reports: Report[] = []

  const root = () => vite?.root ?? process.cwd()
  const keyFile = () => keyFileOf(options.key, root())
  const say = (context: HookContext, lines: string[]) =>
    vite ? vite.logger.info(lines.join('\n')) : context.info?.(lines.join('\n'))
  const readOnce = () => (release ??= readRelease(options, root(), vite ? toBase(vite.base) : ''))
  const folderOf = ({ dir, file }: OutputOptions) => resolve(root(), dir ?? dirname(file ?? '.'))

  return {
    name: 'signedimp',
    enforce: 'post',

    config(this: unknown, config) {
      const isRolldown =
        (this as Partial<HookContext> | undefined)?.meta?.rolldownVersion !== undefined
      return isOn && !isRolldown ? { build: { modulePreload: withoutScripts(config) } } : undefined
    },

    configResolved(config) {
      vite = config as ViteConfig
      const plugins = vite.plugins as { name: string }[]
      const at = plugins.findIndex(({ name }) => name === 'signedimp')
      plugins.push(...plugins.splice(at, 1))
      if (!isOn)
        vite.logger.warn(
          "signedimp: mode is 'off': this output is NOT signed and nothing checks it",
        )
      if (isOn && vite.command === 'build' && vite.build.ssr)
        vite.logger.warn('signedimp: the server build is not signed')
    },

    configureServer({ middlewares }) {
      const file = keyFile()
      if (file) middlewares.use(denyKey(file))
    },

    applyToEnvironment: ({ config }) => config.consumer === 'client',

    load(id) {
      const file = keyFile()
      if (file) refuseKeyModule(id, file)
      return undefined
    },

    augmentChunkHash: () => (isOn && !vite?.build.ssr ? rewriterVersion : undefined),

    renderStart: last(async function (outputOptions) {
      if (!isOn || vite?.build.ssr) return
      const file = keyFile()
      const dir = folderOf(outputOptions)
      if (file) for (const folder of [dir, vite?.publicDir ?? '']) refuseKeyIn(folder, file)
      const current = await readOnce()
      if (!folders.has(dir)) folders.set(dir, await openFolder(dir, current))
    }),

    generateBundle: last(async function (outputOptions, bundle, isWrite) {
      if (!isOn || vite?.build.ssr) return
      const started = performance.now()
      const current = await readOnce()
      const output = readBundle(bundle, outputOptions)
      if (vite?.publicDir && vite.build.copyPublicDir)
        await addPublicFiles(output, vite.publicDir, current)
      const emitted = await emitOutput(output, current)
      for (const [path, source] of emitted.changed) writeToBundle(this, bundle, path, source)
      if (!isWrite) return
      const folder = folders.get(folderOf(outputOptions))!
      for (const file of output.values())
        if (file.path !== emitted.manifestPath)
          folder.expected.set(file.path, digestOf(file, current.hash))
      for (const [path, list] of emitted.imports) folder.imports.set(path, list)
      pageManifests.add(emitted.manifestPath)
      reports.push(
        createReport(output, emitted, current, {
          oneTimeKey: options.key === undefined,
          milliseconds: performance.now() - started,
        }),
      )
    }),

    writeBundle: last(async function (outputOptions) {
      if (!isOn || vite?.build.ssr) return
      await guarded(folders.get(folderOf(outputOptions))!, checkFolder)
    }),

    closeBundle: last(async function () {
      for (const folder of folders.values())
        if (folder.expected.size > 0)
          await guarded(folder, async (_, type) => {
            await checkFolder(folder, type)
            await sealFolder(folder, await readOnce())
          })
      folders.clear()
      for (const report of reports) say(this, formatReport(report))
      reports = []
    }),
  }

  async function guarded(
    folder: OutputFolder,
    work: (folder: OutputFolder, type: Release['hash']) => Promise<unknown>,
  ): Promise<void> {
    try {
      await work(folder, options.hash)
    } catch (error) {
      await unsealFolder(folder, options.manifest, pageManifests)
      throw error
    }
  }
}

const last = <Handler>(handler: Handler) => ({ order: 'post', sequential: true, handler }) as const

const toBase = (base: string): string => (base === './' ? '' : base)

/** Vite before 8 preloads dependencies under URLs that the map does not use; the page preloads them itself. */
function withoutScripts({ build }: ViteUserConfig): ModulePreload {
  const given = build?.modulePreload
  if (given === false) return false
  const { resolveDependencies, ...rest } = typeof given === 'object' ? given : {}
  return {
    ...rest,
    resolveDependencies: (file, dependencies, context) =>
      (resolveDependencies?.(file, dependencies, context) ?? dependencies).filter(
        (path) => !/\.m?js$/.test(path),
      ),
  }
}

function readBundle(bundle: Bundle, { format }: OutputOptions): Output {
  const output: Output = new Map()
  for (const { fileName: path, type, code, source, isEntry = false } of Object.values(bundle)) {
    const text = code ?? source ?? ''
    if (typeof text === 'string') refuseKeyText(path, text)
    const isModule =
      type === 'chunk' && /^esm?$|^module$/.test(format ?? 'es') && !isSystem(text as string)
    output.set(path, { path, source: text, isModule, isEntry })
  }
  return output
}

/** Vite's legacy plugin calls its output "es" while it is System.register. */
const isSystem = (code: string): boolean => /^[^'"`]{0,200}\bSystem\.register\(/.test(code)

async function addPublicFiles(output: Output, publicDir: string, { hash }: Release): Promise<void> {
  const { files } = await walk(publicDir).catch(() => ({ files: new Map<string, string>() }))
  const digests = await hashFiles(publicDir, [...files.keys()], hash)
  for (const [path, digest] of digests) {
    if (output.has(path)) continue
    const text = isPage(path) ? { fixed: await readFile(join(publicDir, path), 'utf8') } : {}
    output.set(path, { path, digest, isModule: false, isEntry: false, ...text })
  }
}

function writeToBundle(
  context: HookContext,
  bundle: Bundle,
  path: string,
  source: string | Uint8Array,
): void {
  const file = bundle[path]
  if (!file) context.emitFile({ type: 'asset', fileName: path, source })
  else if (file.type === 'chunk') file.code = source as string
  else file.source = source
}
