import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hashTypes } from '../crypto/algorithms.js'
import { spellFlags } from '../emit/coverage.js'
import { findSecrets } from '../plugin/guard.js'
import { resolveSeal } from '../seal/options.js'
import type { SealOptions, SealReport } from '../seal/types.js'
import { sealFolder } from '../seal/seal.js'
import { UsageError, wholeNumber } from './arguments.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { inlines } from './html.js'
import { openKey, refuseKeyInside } from './key.js'
import { withProgress } from './progress.js'

/** Seals a folder. */
export const seal: Command = defineCommand({
  meta: {
    name: 'seal',
    description:
      'Make the pages of a finished folder start their ES modules through the bootstrap, and sign the folder',
  },
  args: {
    dir: { type: 'positional', description: 'The folder, as any bundler built it' },
    key: {
      type: 'string',
      valueHint: 'file',
      description: 'The private key: else a one-time key, with which nobody can sign again',
    },
    name: {
      type: 'string',
      description: "Which app and channel this is: else package.json's name",
    },
    build: { type: 'string', valueHint: 'number', description: 'Increases with every release' },
    expires: {
      type: 'string',
      valueHint: 'date',
      description: 'When pages stop accepting it, such as 2027-02-01T00:00:00Z',
    },
    hash: { type: 'enum', options: [...hashTypes], description: 'Hash type: else sha256' },
    base: {
      type: 'string',
      valueHint: 'place',
      description:
        'Path or URL of the folder, with its last slash: else as its pages name the files',
    },
    accept: {
      type: 'string',
      multiple: true,
      valueHint: 'file.pub',
      description: 'A public key that pages accept too; may be repeated',
    },
    threshold: {
      type: 'string',
      valueHint: 'number',
      description: 'How many of the keys must have signed: else 1',
    },
    inline: {
      type: 'enum',
      options: ['true', 'false', 'all'],
      description:
        'How pages carry the bootstrap: else true, in the HTML; false links it; all adds the page manifest',
    },
    tags: {
      type: 'boolean',
      description: "Let pages under policies such as script-src 'self' load modules by tags",
    },
    pure: { type: 'boolean', description: 'Let pages do without https, with RSA keys' },
    unverified: {
      type: 'string',
      multiple: true,
      valueHint: 'name',
      description: 'Code that nothing checks and that you accept; may be repeated',
    },
    manifest: {
      type: 'string',
      valueHint: 'name',
      description: "The manifest's file name: else signedimp-manifest.txt",
    },
    'dry-run': { type: 'boolean', description: 'Tell what would change, and write nothing' },
    json,
  },
  async run({ dir, key, base, accept = [], inline, ...args }): Promise<Output> {
    const secrets = key === undefined ? [] : await secretsOf(dir, key)
    const { name, expires, hash, manifest, unverified, tags, pure } = args
    const given = {
      name,
      build: wholeNumber('--build', args.build),
      expires,
      hash,
      manifest,
      unverified,
      tags,
      pure,
      threshold: wholeNumber('--threshold', args.threshold),
      inline: inline && inlines[inline],
      base,
      dryRun: args['dry-run'],
      ...(accept.length > 0 && { keys: accept }),
    }
    const wanted = Object.entries(given).filter(([, value]) => value !== undefined)
    const options = Object.fromEntries(wanted) as SealOptions
    if (key !== undefined) {
      const { key: publicKey, sign } = await openKey(key)
      options.key = { publicKey, sign }
    }
    const report = await withProgress((progress) =>
      withFlags(async () => {
        const resolved = await resolveSeal(options)
        return sealFolder(dir, { ...resolved, progress, spell: spellFlags }, secrets)
      }),
    )
    return { data: report, lines: lines(report), words: words(dir, report) }
  },
})

/** Texts that would give the key away. A pipe is read once, and is in no folder. */
async function secretsOf(dir: string, key: string): Promise<string[]> {
  if (!(await stat(key)).isFile()) return []
  await refuseKeyInside(dir, key)
  return findSecrets(key, process.cwd())
}

/** What is wrong with an option is wrong with a flag of its name. */
async function withFlags<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const [, name, rest] = /^(?:signedImp: )?"(\w+)" ([^]*)/.exec((error as Error).message) ?? []
    if (!(error instanceof TypeError) || name === undefined) throw error
    throw new UsageError(`--${name} ${rest}`)
  }
}

const lines = (report: SealReport): string[] =>
  columns([
    ['manifest', report.manifest],
    ['name', report.name],
    ['build', report.build],
    ['expires', report.expires],
    ['key', report.fingerprints[0]],
    ...report.fingerprints.slice(1).map((key): [string, string] => ['accepted', key]),
    ['base', report.base === '' ? undefined : report.base],
    ...report.pages.map((path): [string, string] => ['page', path]),
    ['modules', report.modules],
    ...report.changed.map((path): [string, string] => ['changed', path]),
    ...report.added.map((path): [string, string] => ['added', path]),
    ['bootstrap', report.bootstrap?.inline ? `'${report.bootstrap.integrity}'` : undefined],
    ...Object.entries(report.unchecked).map(([kind, count]): [string, string] => [
      'not checked',
      `${count} ${kind}`,
    ]),
    ...report.unverified.map(({ name, reason }): [string, string] => [
      'UNVERIFIED',
      `${name}: ${reason}`,
    ]),
  ])

const words = (dir: string, report: SealReport): string[] => [
  ...report.warnings,
  didWhat(dir, report),
  ...(report.oneTimeKey && !report.dryRun
    ? [
        'ONE-TIME KEY: it is forgotten now. Nobody can ever sign this folder again, nor a next release that its pages take for one; to keep a key, use --key.',
      ]
    : []),
  ...(report.threshold > 1
    ? [`Pages need ${report.threshold} signatures; add the others with signedimp sign.`]
    : []),
]

const didWhat = (dir: string, { unchanged, dryRun, manifest, name }: SealReport): string => {
  if (unchanged)
    return `${dir} is sealed already for "${name}", and nothing changed since: nothing was written.`
  if (dryRun) return `${dir} can be sealed for "${name}": nothing was written.`
  return `Sealed ${dir} for "${name}", and verified ${join(dir, manifest)}. Its files keep their names: see to it that nobody has their old bytes in a cache.`
}
