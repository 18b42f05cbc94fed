import { join } from 'node:path'
import { SignedImpError } from '../errors.js'
import type { Manifest } from '../manifest/format.js'
import type { Signer } from '../manifest/sign.js'
import { refusalOf } from '../tree/check.js'
import {
  checkRelease,
  compareFiles,
  defaultMaxDays,
  defaultMaxStep,
  type FileChanges,
  type ReleasePolicy,
} from '../tree/release.js'
import { summaryOf } from '../tree/report.js'
import { formatSignatures, readManifests, signDetached } from '../tree/signatures.js'
import { storeManifest } from '../manifest/sign.js'
import { writeFileAtomically } from '../tree/write.js'
import { UsageError, wholeNumber, type Parsed } from './arguments.js'
import { changeLines } from './changes.js'
import { columns, type Output } from './command.js'
import { print } from './print.js'
import { askHidden, canAsk } from './prompt.js'
import { releaseRows } from './release.js'
import { placeOf } from './target.js'
import { openSigner } from './token.js'

/** Flags of `sign --detached`. */
export const detachedArgs = {
  detached: {
    type: 'boolean',
    description:
      'Make signatures of the manifests that are there, apart from them; look at no file',
  },
  since: {
    type: 'string',
    valueHint: 'manifest',
    description: 'The manifest of the last release, signed with this key: what changed is shown',
  },
  first: { type: 'boolean', description: 'There is no last release; --name must be given' },
  'max-step': {
    type: 'string',
    valueHint: 'number',
    description: `By how much the build may rise: else ${defaultMaxStep}`,
  },
  'max-days': {
    type: 'string',
    valueHint: 'number',
    description: `In how many days it must expire: else ${defaultMaxDays}`,
  },
  'never-expires': { type: 'boolean', description: 'Sign what does not expire' },
  yes: { type: 'boolean', description: 'Do not ask at the terminal whether to sign' },
  out: {
    type: 'string',
    valueHint: 'file.sig',
    description: 'Where to write the signatures: else standard output',
  },
} as const

type DetachedFlags = Parsed<typeof detachedArgs>

interface Asked extends DetachedFlags {
  dir: string
  key: string
  signer: string | undefined
  pkcs11: string | undefined
  token: string | undefined
  name: string | undefined
  manifest: string | undefined
}

/** @throws UsageError on flags that say something only of detached signatures, where none are made */
export function refuseDetachedFlags(args: DetachedFlags): void {
  const given = Object.keys(detachedArgs).find((name) => args[name as keyof DetachedFlags])
  if (given) throw new UsageError(`--${given} is for --detached`)
}

/** Signs manifests where the key is and the files are not, after a look at what is to be signed. */
export async function runDetached(args: Asked): Promise<Output> {
  const { dir, key, pkcs11, token, signer: command, out } = args
  const policy = policyOf(args)
  const set = await readManifests(await placeOf(dir, args.manifest))
  const signer = await openSigner({ key, pkcs11, token, command })
  const since = args.since === undefined ? undefined : await readLast(args.since, signer)
  const next = set.main.manifest
  checkRelease(next, { ...policy, since })
  const changes = since && compareFiles(since, next)
  const told = summary(next, since, changes)
  const asks = canAsk() && !args.yes
  if (asks) await confirm(told)
  const signatures = await signDetached(set, signer)
  const bytes = formatSignatures(signatures)
  if (out !== undefined) await writeFileAtomically(out, bytes)
  const signed = signatures.map(({ path, ...one }) => ({ path, line: lineOf(one) }))
  return {
    data: {
      ...summaryOf(next),
      signer: signer.key.fingerprint,
      signatures: signed,
      ...(changes && { changes }),
      ...(out !== undefined && { out }),
    },
    lines: out === undefined ? signed.map(({ line }) => line) : columns([['signatures', out]]),
    words: [
      ...(asks ? [] : told),
      ...signed.map(({ path }) => `Signed ${join(dir, path)}, which stays as it is.`),
    ],
  }
}

/** The line that a manifest would have. */
const lineOf = (signature: Parameters<typeof storeManifest>[0][number]): string =>
  Buffer.from(formatSignatures([signature]))
    .toString()
    .trimEnd()

function policyOf(args: Asked): Omit<ReleasePolicy, 'since'> {
  const { since, first, name } = args
  if ((since === undefined) !== first)
    throw new UsageError(
      'with --detached give --since with the manifest of the last release, or --first where there is none',
    )
  if (first && name === undefined) throw new UsageError('with --first, --name must be given')
  return {
    name,
    maxStep: wholeNumber('--max-step', args['max-step']) ?? defaultMaxStep,
    maxDays: wholeNumber('--max-days', args['max-days']) ?? defaultMaxDays,
    neverExpires: args['never-expires'],
  }
}

/** The last release: what this key has signed, expired or not. */
async function readLast(path: string, signer: Signer): Promise<Manifest> {
  const place = await placeOf(path)
  const { main } = await readManifests({ ...place, alone: true })
  const bytes = storeManifest(main.signatures, main.signedText)
  const refusal = await refusalOf(bytes, { keys: [signer.key], threshold: 1 })
  if (refusal) throw new SignedImpError(refusal.code, refusal.reason, { path })
  return main.manifest
}

const summary = (
  next: Manifest,
  since: Manifest | undefined,
  changes: FileChanges | undefined,
): string[] => [
  ...columns([
    ...releaseRows(summaryOf(next)),
    ['last build', since ? (since.build ?? 'none') : 'there is none'],
  ]),
  ...(changes ? changeLines(changes) : []),
]

async function confirm(told: string[]): Promise<void> {
  print(process.stderr, told)
  const [answer] = await askHidden(['Sign this? Type yes: '])
  if (answer !== 'yes') throw new TypeError('not confirmed, so nothing was signed')
}
