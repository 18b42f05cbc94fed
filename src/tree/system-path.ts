import native, { type PlatformPath } from 'node:path'

// Each takes the system's rules as an argument, so that those of Windows are tested everywhere.

/** Whether two names of files mean the same one: on Windows in any letter case, and with either slash. */
export const isSameFile = (one: string, other: string, system: PlatformPath = native): boolean =>
  system.relative(one, other) === ''

/** Whether a file is below a folder, by its name. */
export function isInside(folder: string, file: string, system: PlatformPath = native): boolean {
  const inside = system.relative(folder, file)
  const isAbove = inside === '..' || inside.startsWith('..' + system.sep)
  return inside !== '' && !isAbove && !system.isAbsolute(inside)
}

/** The path of an emitted file: on Windows, plugins join names with a backslash, which makes folders there. */
export const emittedPath = (
  fileName: string,
  { sep }: Pick<PlatformPath, 'sep'> = native,
): string => (sep === '\\' ? fileName.replaceAll('\\', '/') : fileName)
