import { integrityHash, toIntegrityList } from '../export/integrity.js'
import { readVerifiedRelease } from '../export/read.js'
import { subjectHash, toStatement } from '../export/statement.js'
import { defaultManifestName } from '../manifest/names.js'
import { summaryOf } from '../tree/report.js'
import { writeFileAtomically } from '../tree/write.js'
import { columns, defineCommand, json, type Command, type Output } from './command.js'
import { refuseInside } from './outside.js'
import { withProgress } from './progress.js'
import { treeOf } from './target.js'
import { readTrust, trustArgs } from './trust.js'

const forms = {
  integrity: { hash: integrityHash, write: toIntegrityList },
  'in-toto': { hash: subjectHash, write: toStatement },
}

/** Says what was verified in the words of others. */
export const exportRelease: Command = defineCommand({
  meta: {
    name: 'export',
    description: 'Verify a folder or a zip file, and write what it holds in a form of other tools',
  },
  args: {
    dir: { type: 'positional', description: 'The folder, or the zip file' },
    as: {
      type: 'enum',
      required: true,
      options: ['integrity', 'in-toto'],
      description:
        'integrity: for the attribute of this name, by path; in-toto: a Statement v1 to attest, EXPERIMENTAL',
    },
    ...trustArgs,
    manifest: {
      type: 'string',
      valueHint: 'name',
      description: "The manifest's file name: else signedimp-manifest.txt",
    },
    out: {
      type: 'string',
      valueHint: 'file.json',
      description: 'Where to write it: else standard output',
    },
    json,
  },
  async run({ dir, as, manifest = defaultManifestName, out, ...given }): Promise<Output> {
    const trust = await readTrust(given)
    if (out !== undefined) await refuseInside(dir, '--out', out)
    const tree = await treeOf(dir)
    const { hash, write } = forms[as]
    const release = await withProgress((progress) =>
      readVerifiedRelease(tree, trust, manifest, [hash], progress),
    )
    const content = write(release)
    const text = JSON.stringify(content, null, 2)
    if (out !== undefined) await writeFileAtomically(out, Buffer.from(`${text}\n`))
    return {
      data: {
        ...summaryOf(release.main),
        signers: release.signers,
        as,
        experimental: as === 'in-toto',
        ...(out === undefined ? { content } : { out }),
      },
      lines: out === undefined ? text.split('\n') : columns([[as, out]]),
      words: words(dir, as),
    }
  },
})

const words = (dir: string, as: keyof typeof forms): string[] => [
  `${dir} is as signed; this says so of its files as they are now.`,
  ...(as === 'in-toto'
    ? [
        'EXPERIMENTAL: its predicate may change. Nobody has signed the statement: sign it, for example with cosign attest-blob --statement.',
      ]
    : []),
]
