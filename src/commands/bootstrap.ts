import { createEmbedded } from '../emit/program-bootstrap.js'
import { loadPublicKey } from '../keys/public.js'
import { defaultManifestName, isManifestName } from '../manifest/names.js'
import { UsageError, wholeNumber } from './arguments.js'
import { defineCommand, json, type Command, type Output } from './command.js'
import { trustArgs } from './trust.js'

/** Prints the hooks with keys in them. */
export const bootstrap: Command = defineCommand({
  meta: {
    name: 'bootstrap',
    description:
      'Print code that has Node, Deno or Bun load what a folder signed with a key lists, and nothing else; for programs that you put together by hand',
  },
  args: {
    key: trustArgs.key,
    name: {
      type: 'string',
      required: true,
      description: 'The name that the folder must carry',
    },
    threshold: trustArgs.threshold,
    build: { type: 'string', valueHint: 'number', description: 'The lowest build to accept' },
    manifest: {
      type: 'string',
      valueHint: 'name',
      description: `The manifest's file name: else ${defaultManifestName}`,
    },
    format: {
      type: 'enum',
      options: ['esm', 'cjs'],
      description: 'What kind of module: else esm',
    },
    json,
  },
  async run({
    key,
    name,
    manifest = defaultManifestName,
    format = 'esm',
    ...numbers
  }): Promise<Output> {
    const build = wholeNumber('--build', numbers.build)
    const threshold = wholeNumber('--threshold', numbers.threshold) ?? 1
    if (!isManifestName(manifest))
      throw new UsageError('--manifest must be a file name without folders')
    const loaded = await Promise.all(key.map((file) => loadPublicKey(file, { option: '--key' })))
    const keys = [...new Map(loaded.map((one) => [one.fingerprint, one])).values()]
    if (threshold < 1 || threshold > keys.length)
      throw new UsageError(`--threshold must be from 1 to ${keys.length}, the number of keys`)
    const trust = { keys, threshold, name, ...(build === undefined ? {} : { build }), manifest }
    const code = await createEmbedded(format, trust)
    return { data: { format, code }, lines: code.trimEnd().split('\n') }
  },
})
