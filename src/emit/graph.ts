import type { StaticImport } from '../manifest/format.js'
import type { Output } from './output.js'
import type { ModuleImport } from './rewrite.js'
import { SignedImpError } from '../errors.js'

/** Where an output's files will be: `''` for wherever the page is, else a path or a URL that ends in `/`. */
export type Base = string

/** Resolves what a module at `from` imports: the path of an emitted file, or undefined for anything else. */
export function resolveSpecifier(
  output: Output,
  base: Base,
  from: string,
  specifier: string,
): string | undefined {
  const root = 'signedimp:///'
  const url = base && specifier.startsWith(base) ? root + specifier.slice(base.length) : specifier
  try {
    const { href } = new URL(url, root + from)
    const path = href.startsWith(root) ? decodeURI(href.slice(root.length)) : undefined
    return path !== undefined && output.has(path) ? path : undefined
  } catch {
    return undefined
  }
}

/**
 * The static imports of a module, resolved.
 * @throws SignedImpError `ERR_SIGNEDIMP_OUTPUT` on an import from outside the output, which a page would refuse
 */
export function resolveImports(
  output: Output,
  base: Base,
  from: string,
  imports: ModuleImport[],
): StaticImport[] {
  return imports.map(({ start, end, specifier }) => {
    const path = resolveSpecifier(output, base, from, specifier)
    if (path === undefined || !output.get(path)!.isModule)
      throw new SignedImpError(
        'ERR_SIGNEDIMP_OUTPUT',
        `imports "${specifier}", which is no module of this build, so a page would refuse it; bundle it instead of leaving it external`,
        { path: from },
      )
    if (specifier.startsWith('.')) checkUnambiguous(output, from, specifier, path)
    return { start, end, path }
  })
}

/**
 * A redirect can make a module's relative imports start at another folder. So that they then mean nothing at all,
 * no other module of the output may end like the imported one.
 */
function checkUnambiguous(output: Output, from: string, specifier: string, path: string): void {
  const tail = '/' + specifier.replace(/^(\.{1,2}\/)+/, '')
  for (const [other, { isModule }] of output)
    if (isModule && other !== path && ('/' + other).endsWith(tail))
      throw new SignedImpError(
        'ERR_SIGNEDIMP_OUTPUT',
        `imports ${specifier}, which a redirect could turn from ${path} into ${other}; give chunks different names, for example with [hash]`,
        { path: from },
      )
}
