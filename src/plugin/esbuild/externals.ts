import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { SignedImpError } from '../../errors.js'
import { locate, LocatedError } from './messages.js'
import type { EsbuildPlace } from './place.js'
import type { Metafile } from './types.js'

type MetafileImport = Metafile['inputs'][string]['imports'][number]

/** Says of an error where the import stands that it is about, if a source imports from outside of the output. */
export async function locateExternal(
  error: unknown,
  { inputs }: Metafile,
  { root }: EsbuildPlace,
): Promise<unknown> {
  if (!(error instanceof SignedImpError)) return error
  for (const [file, { imports }] of Object.entries(inputs)) {
    const external = imports.find((item) => isOutside(item) && names(error, item.path))
    if (!external) continue
    const specifier = external.original ?? external.path
    const text = await readFile(resolve(root, file), 'utf8').catch(() => '')
    return new LocatedError(
      relate(error, file),
      locate(file, text, [`"${specifier}"`, `'${specifier}'`]),
    )
  }
  return error
}

/** The error with a source in the place of the chunk that it names. */
const relate = (error: SignedImpError, file: string): SignedImpError =>
  error.path === undefined
    ? error
    : new SignedImpError(error.code, error.message.slice(`${error.code} ${error.path}: `.length), {
        path: file,
      })

const isOutside = ({ external, kind }: MetafileImport): boolean =>
  external === true && kind === 'import-statement'

/** Whether an error names a specifier as what is imported, or as what nothing checks. */
const names = ({ message }: SignedImpError, specifier: string): boolean =>
  message.includes(`: imports "${specifier}", `) || message.includes(`\n  ${specifier}: `)
