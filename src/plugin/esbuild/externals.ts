import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { locate, LocatedError } from './messages.js'
import { SignedImpError } from '../../errors.js'
import type { EsbuildPlace } from './place.js'
import type { Metafile } from './types.js'

/**
 * Refuses what sources import statically from outside of the output, where they say so: a page would refuse it.
 * @throws LocatedError
 */
export async function refuseExternals(
  { inputs, outputs }: Metafile,
  { root }: EsbuildPlace,
): Promise<void> {
  const used = new Set(Object.values(outputs).flatMap((output) => Object.keys(output.inputs)))
  for (const [file, { imports }] of Object.entries(inputs)) {
    const external = imports.find((item) => item.external && item.kind === 'import-statement')
    if (!external || !used.has(file)) continue
    const specifier = external.original ?? external.path
    const text = await readFile(resolve(root, file), 'utf8').catch(() => '')
    throw new LocatedError(
      outside(file, specifier),
      locate(file, text, [`"${specifier}"`, `'${specifier}'`]),
    )
  }
}

const outside = (path: string, specifier: string): SignedImpError =>
  new SignedImpError(
    'ERR_SIGNEDIMP_OUTPUT',
    `imports "${specifier}", which is no module of this build, so a page would refuse it; bundle it instead of leaving it external`,
    { path },
  )
