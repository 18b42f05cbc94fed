/** The builds that programs have started, in a folder that their operator names: a lower one is refused from then on. */
import { randomUUID } from 'node:crypto'
import all from 'node:fs'
import { join, sep } from 'node:path'
import { hashBytes } from '../crypto/node.js'
import { refusal } from '../manifest/refusal.js'
import type { RootOptions, SeenRelease } from './root.js'

// As they were before the program ran, which may replace them: roots may be added later.
const { closeSync, fsyncSync, openSync, readdirSync, readFileSync, realpathSync } = all
const { renameSync, rmSync, writeSync } = all

/** A root as somebody asked for it. `base` may lead elsewhere with the next release, and is the same root. */
type Asked = Pick<RootOptions, 'base' | 'name' | 'keys'>

/**
 * Refuses a build that is lower than one that was here before, and notes it. Each build is a file of its own: processes that
 * start at once cannot take a higher one back. A note counts for whoever trusts its key, so that what a stolen key has signed
 * goes with the key.
 * @param memory the folder
 * @throws SignedImpError `ERR_SIGNEDIMP_ROLLBACK`; `ERR_SIGNEDIMP_NOT_ENFORCEABLE` where it cannot be read or written
 * @throws TypeError if the folder lies in the root: whoever writes that could make everybody forget
 */
export function rememberBuild(memory: string, asked: Asked, seen: SeenRelease): void {
  const { build, signers } = seen
  const place = attempt(memory, () => realpathSync(memory))
  if (`${place}${sep}`.startsWith(seen.folder))
    throw new TypeError(`"remember" ${memory} lies in the root ${seen.folder}: keep it elsewhere`)
  const names = attempt(place, () => readdirSync(place))
  const noted = asked.keys.flatMap(({ fingerprint }) => buildsIn(place, names, asked, fingerprint))
  const highest = Math.max(0, ...noted)
  if (!(build! >= highest))
    throw refusal('ROLLBACK', `build ${build} < ${highest}, which was here before`, asked.base)
  for (const signer of signers) attempt(place, () => note(place, names, asked, signer, build!))
}

/** @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE` with what the system says */
function attempt<T>(folder: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { message } = error as Error
    throw refusal('NOT_ENFORCEABLE', `builds cannot be remembered there (${message})`, folder)
  }
}

/** How names of notes on one base, name and key begin: with 128 bits of a hash. */
const startOf = ({ base, name }: Asked, signer: string): string =>
  `${hashBytes('sha256', JSON.stringify([trim(base), name, signer])).slice(0, 32)}.`

/** What a note says: for people, and to tell a damaged one. */
const textOf = ({ base, name }: Asked, signer: string, build: number): string =>
  `${JSON.stringify({ base: trim(base), name, key: signer, build })}\n`

const trim = (base: string): string => base.replace(/(?<=.)[\\/]+$/, '')

/** The builds that are noted. @throws SignedImpError `ERR_SIGNEDIMP_NOT_ENFORCEABLE` on a note that is none */
function buildsIn(place: string, names: string[], asked: Asked, signer: string): number[] {
  const start = startOf(asked, signer)
  return names
    .filter((name) => name.startsWith(start))
    .map((name) => {
      const build = Number(name.slice(start.length))
      const text = attempt(place, () => readNote(join(place, name)))
      // One that is gone by now was a lower one, and another process has noted a higher one.
      if (text !== undefined && text !== textOf(asked, signer, build))
        throw refusal('NOT_ENFORCEABLE', 'a damaged note of a build', join(place, name))
      return build
    })
}

function readNote(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Notes a build, whole or not at all. Lower ones say nothing any more. */
function note(place: string, names: string[], asked: Asked, signer: string, build: number): void {
  const start = startOf(asked, signer)
  const file = `${start}${build}`
  if (names.includes(file)) return
  write(place, file, textOf(asked, signer, build))
  for (const name of names.filter((one) => one.startsWith(start)))
    rmSync(join(place, name), { force: true })
}

function write(place: string, file: string, text: string): void {
  const temporary = join(place, `.${randomUUID()}`)
  try {
    flushed(temporary, 'wx', (fd) => writeSync(fd, text))
    renameSync(temporary, join(place, file))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  // The name is to be there after a power failure, too. Windows flushes no folder.
  if (process.platform !== 'win32') flushed(place, 'r', () => {})
}

function flushed(path: string, flags: string, work: (fd: number) => unknown): void {
  const fd = openSync(path, flags)
  try {
    work(fd)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
