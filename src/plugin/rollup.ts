import { formatReport, type Report } from '../emit/report.js'
import type { KeySource } from '../keys/private.js'
import { createBuild, type Build } from './build.js'
import { keyFileOf, keyPattern, refuseKeyModule } from './guard.js'
import { resolveOptions, type SignedImpOptions } from './options.js'
import { refusePageOptions } from './page-options.js'
import type { Place } from './release.js'
import { warningsOf } from './sign.js'
import type { HookContext, Plugin, ViteConfig } from './types.js'
import { noteWorkers } from './vite-workers.js'
import { configure, guardServer, isStorybook, moveLast, placeOf } from './vite.js'

/**
 * Signs what a build emits, and makes its pages run nothing else.
 * @param key a PEM file or text, a URL, a `KeyObject` or a signer `{ publicKey, sign }`; a public key leaves the
 *   signature to `signedimp sign`; without any argument, a one-time key signs this build and is forgotten
 * @throws TypeError on any option that is unknown or wrong, naming it
 */
export function signedImp(key?: KeySource, options?: SignedImpOptions): Plugin
export function signedImp(...args: unknown[]): Plugin {
  const options = resolveOptions(args)
  if (Array.isArray(options.html) && options.html.length > 0)
    throw new TypeError(
      "signedImp: \"html\" must be 'later' or 'backend' here: pages of Vite are its inputs, and pages of Rollup come from a plugin",
    )
  let vite: ViteConfig | undefined
  const builds = new WeakMap<object, Build>()
  const owners = { pages: {}, program: {} }
  const workers = noteWorkers(() => ({ hasPages: true, tags: options.tags, base: vite!.base }))

  const findPlace = (context: HookContext): Place => {
    const { environment } = context
    const config = environment?.config ?? vite
    const place = config ? placeOf(config) : { root: process.cwd(), base: '', publicDir: undefined }
    return { ...place, isProgram: isProgram(context) }
  }

  /** Vite's environments may share one plugin, and be built side by side. */
  function buildOf(context: HookContext): Build {
    const owner = context.environment ?? owners[isProgram(context) ? 'program' : 'pages']
    const build =
      builds.get(owner) ?? createBuild(options, () => findPlace(context), workers.chunks)
    builds.set(owner, build)
    return build
  }

  /** Vite knows what a build is for; of others the option says so. */
  function isProgram({ environment }: HookContext): boolean {
    if (environment) return environment.config.consumer !== 'client'
    return vite ? Boolean(vite.build.ssr) : options.server === true
  }

  function isOn(context: HookContext): boolean {
    const isWanted = !isProgram(context) || options.server === true
    return options.mode !== 'off' && isWanted && !(vite && isStorybook(vite))
  }

  return {
    name: 'signedimp',
    enforce: 'post',

    config(this: unknown, config) {
      return options.mode === 'on' ? configure(this, config, workers.plugin) : undefined
    },

    configResolved(config) {
      vite = config as ViteConfig
      moveLast(vite)
      const { logger, command } = vite
      if (options.mode === 'off')
        logger.warn("signedimp: mode is 'off': this output is NOT signed and nothing checks it")
      else if (vite.build.ssr && command === 'build' && !options.server)
        logger.warn(
          'signedimp: the server build is NOT signed; only the pages are: see the option "server"',
        )
      else if (isStorybook(vite) && command === 'build')
        logger.warn(
          'signedimp: this is a build of Storybook: it is NOT signed and nothing checks it',
        )
    },

    configureServer: (server) => guardServer(server, options),

    applyToEnvironment: ({ config }) => config.consumer === 'client' || options.server === true,

    load: {
      // Before Vite's own plugins, which would make an asset of the key; and for no other file, where the bundler can filter.
      order: 'pre',
      filter: { id: keyPattern(options.key) },
      handler(id) {
        const file = keyFileOf(options.key, findPlace(this).root)
        if (file) refuseKeyModule(id, file)
      },
    },

    augmentChunkHash(chunk) {
      // Modules that stay as they are keep their names.
      return isOn(this) && options.mode === 'on' ? buildOf(this).salt(this, chunk) : undefined
    },

    buildStart() {
      if (options.server && !vite) refusePageOptions(options)
      return buildOf(this).begin(this.meta)
    },

    buildEnd(error) {
      return error ? undefined : buildOf(this).render()
    },

    renderStart: last(async function (outputOptions) {
      if (isOn(this)) await buildOf(this).open(outputOptions)
    }),

    generateBundle: last(async function (outputOptions, bundle, isWrite = false) {
      if (!isOn(this)) return
      const report = await buildOf(this).emit(this, outputOptions, bundle, isWrite)
      if (report) say(this, report)
    }),

    writeBundle: last(function (outputOptions) {
      if (isOn(this)) buildOf(this).written(outputOptions)
    }),

    closeBundle: last(async function () {
      if (!isOn(this)) return
      for (const report of await buildOf(this).close(this.meta)) say(this, report)
    }),
  }

  function say(context: HookContext, report: Report): void {
    const text = formatReport(report).join('\n')
    if (vite) vite.logger.info(text)
    else context.info?.(text)
    for (const warning of warningsOf(report)) warn(context, warning)
  }

  function warn(context: HookContext, text: string): void {
    if (vite) vite.logger.warn(text)
    else context.warn(text)
  }
}

const last = <Handler>(handler: Handler) => ({ order: 'post', sequential: true, handler }) as const
