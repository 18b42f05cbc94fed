import type { Report } from '../../emit/report.js'
import { formatReport } from '../../emit/report.js'
import type { KeySource } from '../../keys/private.js'
import { alterOptions, originalOf } from './altered.js'
import { toMessage } from './messages.js'
import { placeOf, problemsOf } from './place.js'
import { openSession, type Session } from './session.js'
import type { BuildResult, EsbuildPlugin, Message, PluginBuild, Told } from './types.js'
import { endFilter, keyFileOf, keyFilter, refuseKeyModule } from '../guard.js'
import { resolveOptions, type ResolvedOptions, type SignedImpOptions } from '../options.js'
import { refusePageOptions } from '../page-options.js'
import { warningsOf } from '../sign.js'

/**
 * Signs what esbuild emits, and makes its pages run nothing else.
 * @param key a PEM file or text, a URL, a `KeyObject` or a signer `{ publicKey, sign }`; a public key leaves the
 *   signature to `signedimp sign`; without any argument, a one-time key signs this build and is forgotten
 * @throws TypeError on any option that is unknown or wrong, naming it
 */
export function signedImp(key?: KeySource, options?: SignedImpOptions): EsbuildPlugin
export function signedImp(...args: unknown[]): EsbuildPlugin {
  const options = resolveOptions(args)
  return { name: 'signedimp', setup: (build: PluginBuild) => setUp(build, options) }
}

/** One plugin may be in several builds of one process: what is remembered belongs to one of them. */
async function setUp(build: PluginBuild, options: ResolvedOptions): Promise<void> {
  if (options.mode === 'off')
    return build.onStart(async () => ({
      warnings: [
        { text: "signedimp: mode is 'off': this output is NOT signed and nothing checks it" },
      ],
    }))
  const problems = problemsOf(build.initialOptions, options)
  if (problems.length > 0)
    return build.onStart(async () => ({ errors: problems.map((text) => ({ text })) }))

  const place = placeOf(originalOf(build.initialOptions), options)
  if (place.isProgram) refusePageOptions(options)
  const giveBack = alterOptions(build.initialOptions, place.mark)
  const session = await openSession(options, place)
  guardKey(build, options, session)
  watchEntries(build, session)
  let changes: string[] | undefined
  let isLast = false
  build.onStart(async () => {
    session.start()
    changes ??= giveBack()
    return { errors: changes.map(changed) }
  })
  build.onEnd((result: BuildResult) => {
    // Registered now, it runs after what every other plugin registered when it was set up, or when the build began.
    if (!isLast) build.onEnd((ended: BuildResult) => close(build, session, ended))
    isLast = true
    return emit(build, session, result)
  })
}

const changed = (name: string): Message => ({
  text: `another plugin changes "${name}" behind signedimp: list signedimp after that one`,
})

/** Keeps the key's file from becoming a module or an asset. */
function guardKey(build: PluginBuild, { key }: ResolvedOptions, { place }: Session): void {
  const file = keyFileOf(key, place.root)
  if (!file) return
  build.onLoad({ filter: keyFilter(file) }, ({ path }) => {
    try {
      refuseKeyModule(path, file)
      return undefined
    } catch (error) {
      return { errors: [toMessage(error)] }
    }
  })
}

/** Learns which modules are entries, and has the bundler watch the pages with them. */
function watchEntries(build: PluginBuild, { entries, pages, place }: Session): void {
  // Known by name and not by `pluginData`, which is for the plugin that asked: two that ask would ask one another for ever.
  const asked = new Set<string>()
  build.onResolve({ filter: endFilter(place.entryPoints) }, async ({ path: name, ...args }) => {
    const question = JSON.stringify([name, args.resolveDir])
    if (args.kind !== 'entry-point' || asked.has(question)) return undefined
    asked.add(question)
    const found = await build.resolve(name, args).finally(() => asked.delete(question))
    // A pattern for several files, or an error that esbuild itself words better.
    if (found.errors.length > 0 || found.external) return undefined
    const { path, namespace, suffix, sideEffects, pluginData, warnings } = found
    entries.set(name, namespace === 'file' ? path : `${namespace}:${path}`)
    // Whoever resolves it next tells esbuild more of it than we are told.
    if (pages.length === 0) return undefined
    return { path, namespace, suffix, sideEffects, pluginData, warnings, watchFiles: pages }
  })
}

async function emit(build: PluginBuild, session: Session, result: BuildResult): Promise<Told> {
  if (result.errors.length > 0) return {}
  try {
    await warn(build, result, await session.emit(result))
    return {}
  } catch (error) {
    return { errors: [toMessage(error)] }
  }
}

async function close(build: PluginBuild, session: Session, result: BuildResult): Promise<Told> {
  try {
    const report = await session.close(result)
    if (!report) return {}
    tell(report, session)
    await warn(build, result, warningsOf(report))
    return {}
  } catch (error) {
    return { errors: [toMessage(error)] }
  } finally {
    if (!session.place.hasMetafile) result.metafile = undefined
  }
}

/** esbuild has no logger for plugins: where it prints a summary of its own, ours stands beside it. */
function tell(report: Report, { place }: Session): void {
  if (place.isTold) process.stderr.write(`\n${formatReport(report).join('\n')}\n`)
}

/** Of what plugins answer at a build's end, esbuild prints errors, and warnings only while it watches. */
async function warn(
  { esbuild, initialOptions }: PluginBuild,
  { warnings }: BuildResult,
  texts: string[],
): Promise<void> {
  const messages = texts.map((text) => ({ ...noMessage, text }))
  warnings.push(...messages)
  if (/^(error|silent)$/.test(initialOptions.logLevel ?? '')) return
  process.stderr.write((await esbuild.formatMessages(messages, { kind: 'warning' })).join(''))
}

const noMessage = { id: '', pluginName: 'signedimp', location: null, notes: [], detail: undefined }
