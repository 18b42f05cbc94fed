import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isInside } from '../tree/system-path.js'
import { UsageError } from './arguments.js'
import { isFolder } from './target.js'

/**
 * Refuses to write a file into the folder that it is about: nobody has signed it, so that the folder would not be as signed.
 * @throws UsageError
 */
export async function refuseInside(dir: string, flag: string, file: string): Promise<void> {
  const folder = dirname(file)
  if (!existsSync(folder))
    throw new UsageError(`${flag} names a file in ${folder}, which is not there`)
  if (!(await isFolder(dir))) return
  if (isInside(realpathSync(dir), join(realpathSync(folder), basename(file))))
    throw new UsageError(
      `${flag} must name a file outside of the folder, which lists what is in it`,
    )
}
