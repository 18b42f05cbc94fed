/** Flags and variables by which a runtime loads something before a program. */
import { refusal } from '../manifest/refusal.js'
import { indexOf, pushTo, replaceAll, slice, startsWith } from './captured.js'

/** How the runtime is told what to load before everything else. */
export type PreloadFlag = '--import' | '--preload'

/** Variables in which flags stand. */
type Variables = Readonly<Record<string, string | undefined>>

const { NODE_OPTIONS, BUN_OPTIONS } = process.env
const atStart = { NODE_OPTIONS, BUN_OPTIONS }

/** Whether a flag of Node or Bun makes it load something before the program; its value is in it, or follows. */
export function isPreload(flag: string): boolean {
  const name = spell(flag)
  return (
    name === '-r' ||
    startsWith(name, '--import') ||
    startsWith(name, '--require') ||
    startsWith(name, '--preload') ||
    startsWith(name, '--loader') ||
    startsWith(name, '--experimental-loader')
  )
}

/** Whether a flag names a file in which such flags may stand: whoever is started with it reads that file again. */
function namesSettings(flag: string): boolean {
  const name = spell(flag)
  return (
    name === '-c' ||
    startsWith(name, '--config') ||
    startsWith(name, '--env-file') ||
    startsWith(name, '--experimental-config-file') ||
    name === withoutValue
  )
}

const withoutValue = '--experimental-default-config-file'

/** Node takes `_` for `-`. */
const spell = (flag: string): string => replaceAll(flag, '_', '-')

/**
 * The flags of a child. Ours come first. What its parent was told to load first is the parent's own business, and is not
 * passed on.
 * @param given what the program says, if it does
 * @throws SignedImpError `ERR_SIGNEDIMP_UNLISTED` where the program has the child load something else first
 */
export function flagsWith(given: unknown, flag: PreloadFlag, url: string): string[] {
  const { execArgv } = process
  const list = (given ?? execArgv) as readonly unknown[]
  const flags = [flag, url]
  for (let at = 0; at < list.length; at++) {
    const one = `${list[at] as string}`
    if (!isPreload(one) && !namesSettings(one)) pushTo(flags, one)
    else if (!includes(execArgv, one)) throw loadsBefore(one)
    else if (indexOf(one, '=', 0) < 0 && one !== withoutValue) at++
  }
  return flags
}

const loadsBefore = (what: string) =>
  refusal('UNLISTED', 'a child would load something before the hooks: leave it out', what)

/** Whether a list has an item, whatever became of its methods. */
export function includes(list: readonly unknown[], wanted: unknown): boolean {
  for (let at = 0; at < list.length; at++) if (list[at] === wanted) return true
  return false
}

/**
 * Refuses variables by which a child would load something first: others than this process itself was started with.
 * @throws SignedImpError `ERR_SIGNEDIMP_UNLISTED`
 */
export function refuseVariables(env: Variables): void {
  refuseVariable('NODE_OPTIONS', env.NODE_OPTIONS)
  refuseVariable('BUN_OPTIONS', env.BUN_OPTIONS)
}

/** As {@link refuseVariables}, of one variable, whatever it is called. */
export function refuseVariable(name: string, value: unknown): void {
  if (name !== 'NODE_OPTIONS' && name !== 'BUN_OPTIONS') return
  if (value !== undefined && value !== atStart[name] && mayPreload(`${value as string}`))
    throw loadsBefore(`${name}=${value as string}`)
}

/** What is quoted may mean anything. */
function mayPreload(options: string): boolean {
  if (indexOf(options, '"', 0) >= 0 || indexOf(options, '\\', 0) >= 0) return true
  for (let at = 0; at <= options.length;) {
    const space = indexOf(options, ' ', at)
    const end = space < 0 ? options.length : space
    const flag = slice(options, at, end)
    if (isPreload(flag) || namesSettings(flag)) return true
    at = end + 1
  }
  return false
}
