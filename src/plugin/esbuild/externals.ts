import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { locate, LocatedError } from './messages.js'
import { SignedImpError } from '../../errors.js'
import type { EsbuildPlace } from './place.js'
import type { Metafile } from './types.js'

type MetafileImport = Metafile['inputs'][string]['imports'][number]

/**
 * Refuses what sources import statically from outside of the output, where they say so: a page would refuse it.
 * @throws LocatedError
 */
export async function refuseExternals(
  { inputs, outputs }: Metafile,
  { root }: EsbuildPlace,
): Promise<void> {
  // Of what sources import, esbuild's own helpers are called external too, and some is not used.
  const left = new Set(
    Object.values(outputs).flatMap(({ imports }) =>
      imports.filter(isOutside).map(({ path }) => path),
    ),
  )
  for (const [file, { imports }] of Object.entries(inputs)) {
    const external = imports.find((item) => isOutside(item) && left.has(item.path))
    if (!external) continue
    const specifier = external.original ?? external.path
    const text = await readFile(resolve(root, file), 'utf8').catch(() => '')
    throw new LocatedError(
      outside(file, specifier),
      locate(file, text, [`"${specifier}"`, `'${specifier}'`]),
    )
  }
}

const isOutside = ({ external, kind }: MetafileImport): boolean =>
  external === true && kind === 'import-statement'

const outside = (path: string, specifier: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `imports "${specifier}", which is no module of this build, so a page would refuse it; bundle it instead of leaving it external`,
    { path },
  )
