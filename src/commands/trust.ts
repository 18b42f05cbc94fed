import { loadPublicKey } from '../keys/public.js'
import type { Trust } from '../manifest/verify.js'
import { UsageError, wholeNumber, type Parsed } from './arguments.js'

/** Flags that say whom to trust, and for what. */
export const trustArgs = {
  key: {
    type: 'string',
    required: true,
    multiple: true,
    valueHint: 'file.pub',
    description: 'A public key to trust; may be repeated',
  },
  threshold: {
    type: 'string',
    valueHint: 'number',
    description: 'How many of the keys must have signed: else 1',
  },
  name: {
    type: 'string',
    description: 'The name that it must carry: else any that the keys signed',
  },
  build: { type: 'string', valueHint: 'number', description: 'The lowest build to accept' },
} as const

/** Arguments of commands that look at a folder or a zip file which must be signed. */
export const verifiedArgs = {
  dir: { type: 'positional', description: 'The folder, or the zip file' },
  ...trustArgs,
  manifest: {
    type: 'string',
    valueHint: 'name',
    description: "The manifest's file name: else signedimp-manifest.txt",
  },
} as const

/** Reads what {@link trustArgs} name. @throws UsageError; SignedImpError `ERR_SIGNEDIMP_KEY` */
export async function readTrust({
  key,
  name,
  ...numbers
}: Parsed<typeof trustArgs>): Promise<Trust> {
  const build = wholeNumber('--build', numbers.build)
  const threshold = wholeNumber('--threshold', numbers.threshold) ?? 1
  if (threshold === 0) throw new UsageError('--threshold must be at least 1')
  const keys = await Promise.all(key.map((file) => loadPublicKey(file, { option: '--key' })))
  return { keys, threshold, name, build }
}
