import type { Manifest } from '../manifest/format.js'
import { isManifestOf } from '../manifest/names.js'
import { manifestUrl } from '../tree/audit.js'
import { parseUnverified } from '../tree/describe.js'
import { downloadWhole } from '../tree/fetch.js'
import { hashFiles } from '../tree/hash.js'
import { compareFiles, type FileChanges } from '../tree/release.js'
import { listedFiles, maxManifest, readMain } from '../tree/stored.js'
import { changeLines } from './changes.js'
import { defineCommand, json, type Command, type Output } from './command.js'
import { placeOf } from './target.js'

/** Compares two releases. */
export const diff: Command = defineCommand({
  meta: {
    name: 'diff',
    description: 'Show how two folders, zip files, manifests or sites differ; checks no signature',
  },
  args: {
    old: { type: 'positional', description: 'A folder, a zip file, a manifest, or its URL' },
    new: { type: 'positional', description: 'What to compare it with' },
    json,
  },
  async run(args): Promise<Output> {
    const first = await look(args.old, undefined)
    const second = await look(args.new, first.isFiles ? undefined : first.manifest.hash)
    // Files can be hashed in whatever way the other side needs.
    const old = first.isFiles ? await look(args.old, second.manifest.hash) : first
    const changes = compareFiles(old.manifest, second.manifest)
    const facts = factsOf(old, second)
    const data = { same: isSame(changes, facts), ...facts, files: changes }
    return {
      data,
      lines: [...facts.manifest.map(factLine), ...keyLines(facts), ...changeLines(changes)],
      words: [`Nobody checked who signed ${args.old} and ${args.new}.`],
      status: data.same ? 0 : 1,
    }
  },
})

/** What there is to compare on one side. */
interface Side {
  /** What a manifest says; of files without one, their hashes only. */
  manifest: Pick<Manifest, 'hash' | 'files'> & Partial<Manifest>
  signers: string[]
  /** Whether there are files, which count, and not what a manifest says of them. */
  isFiles: boolean
}

async function look(target: string, hash: Manifest['hash'] | undefined): Promise<Side> {
  if (/^https?:\/\//i.test(target)) {
    const url = manifestUrl(target)
    return sideOf(url, await downloadWhole(url, maxManifest))
  }
  const { tree, manifestName, alone } = await placeOf(target)
  return tree.whileStill(async (listed) => {
    const where = { ...listed, manifestName }
    const isSigned = listed.folder.files.has(manifestName)
    const said = isSigned ? sideOf(target, await readMain(where)) : undefined
    if (alone) return said!
    const type = hash ?? said?.manifest.hash ?? 'sha256'
    const files = await hashFiles(listed.contents, listedFiles(where), type)
    const { refused } = listed.folder
    for (const path of refused.keys())
      if (!isManifestOf(manifestName, path)) files.set(path, 'no file')
    return {
      signers: [],
      ...said,
      manifest: { ...said?.manifest, hash: type, files },
      isFiles: true,
    }
  })
}

function sideOf(path: string, bytes: Uint8Array): Side {
  const { manifest, signatures } = parseUnverified(path, bytes)
  const signers = [...new Set(signatures.map(({ fingerprint }) => fingerprint))]
  return { manifest, signers, isFiles: false }
}

type Fact = { what: string; old: string | number | null; new: string | number | null }

interface Facts {
  /** What the manifests say beside the files, where they differ. */
  manifest: Fact[]
  /** Keys that signed the one only. */
  signers: { added: string[]; removed: string[] }
}

function factsOf(old: Side, next: Side): Facts {
  const names = ['name', 'build', 'expires', 'hash'] as const
  return {
    manifest: names
      .map((what) => ({
        what,
        old: old.manifest[what] ?? null,
        new: next.manifest[what] ?? null,
      }))
      .filter((fact) => fact.old !== fact.new),
    signers: {
      added: next.signers.filter((key) => !old.signers.includes(key)),
      removed: old.signers.filter((key) => !next.signers.includes(key)),
    },
  }
}

const factLine = ({ what, old, new: next }: Fact): string =>
  `${what.padEnd(10)}${old ?? 'none'} -> ${next ?? 'none'}`

const keyLines = ({ signers: { added, removed } }: Facts): string[] => [
  ...added.map((key) => `signer +  ${key}`),
  ...removed.map((key) => `signer -  ${key}`),
]

const isSame = ({ added, removed, changed }: FileChanges, { manifest, signers }: Facts): boolean =>
  [added, removed, changed, manifest, signers.added, signers.removed].every(
    ({ length }) => length === 0,
  )
