import type { ArgDef } from 'citty'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { isPem } from '../keys/source.js'

/** The arguments of a command as citty describes them, and which of them may be given more than once. */
export type Args = Record<string, ArgDef & { multiple?: true }>

/** What the arguments of a command come to. */
export type Parsed<T extends Args> = { -readonly [K in keyof T]: Value<T[K]> }

type Value<D> = D extends { type: 'boolean' }
  ? boolean
  : D extends { multiple: true }
    ? string[]
    : D extends { required: true } | { type: 'positional' }
      ? Text<D>
      : Text<D> | undefined

type Text<D> = D extends { type: 'enum'; options: (infer O)[] } ? O : string

/** A command line that says nothing that can be done. */
export class UsageError extends Error {}

/**
 * Reads a command line. citty's own parser drops unknown flags and surplus arguments, and keeps the last of a repeated
 * flag: a mistyped `--threshold` would verify less than was asked for. Here each of these is an error.
 * @throws UsageError
 */
export function parseArguments<T extends Args>(definitions: T, argv: string[]): Parsed<T> {
  const { values, positionals, tokens } = parse(definitions, argv)
  refuseRepeats(definitions, tokens)
  const given = { ...values, ...placed(definitions, positionals) }
  for (const [name, definition] of Object.entries(definitions)) {
    if (definition.type === 'boolean') given[name] ??= false
    checkValue(name, definition, given[name])
  }
  return given as Parsed<T>
}

/** Arguments without flags, by name; of those that may be more, the first takes all. */
function placed(definitions: Args, positionals: string[]): Record<string, unknown> {
  const names = Object.keys(definitions).filter((name) => definitions[name]!.type === 'positional')
  if (definitions[names[0]!]?.multiple)
    return { [names[0]!]: positionals.length > 0 ? positionals : undefined }
  if (positionals.length > names.length)
    throw new UsageError(`"${positionals[names.length]}" is one argument too many`)
  return Object.fromEntries(names.map((name, at) => [name, positionals[at]]))
}

function parse(definitions: Args, args: string[]) {
  const options: ParseArgsConfig['options'] = {}
  for (const [name, { type, multiple = false }] of Object.entries(definitions))
    if (type !== 'positional')
      options[name] = { type: type === 'boolean' ? type : 'string', multiple }
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true, tokens: true })
  } catch (error) {
    // Node's message repeats the argument, which logs of a CI system would keep.
    if (args.some(isPem))
      throw new UsageError('an argument is a key itself: give the name of its file')
    const other = args
      .map((arg) => arg.split('=')[0]!)
      .find((flag) => isElsewhere(flag, definitions))
    if (other !== undefined) throw new UsageError(`${other} ${inToken}`)
    // Node's own advice after the first sentence is for another audience.
    throw new UsageError((error as Error).message.split(/\. |\n/)[0])
  }
}

const inToken =
  'is for signedimp sign: a key that is no file signs there, also with --detached, and its signatures go where attach puts them'

/** Whether somebody looks for a flag in another command than the one that has it. */
const isElsewhere = (flag: string, definitions: Args): boolean =>
  ['--pkcs11', '--token', '--signer'].includes(flag) && !(flag.slice(2) in definitions)

function refuseRepeats(definitions: Args, tokens: { kind: string; name?: string }[]): void {
  const seen = new Set<string>()
  for (const { kind, name = '' } of tokens) {
    if (kind !== 'option' || definitions[name]?.multiple) continue
    if (seen.has(name)) throw new UsageError(`--${name} is given twice`)
    seen.add(name)
  }
}

function checkValue(
  name: string,
  { type, required, options }: ArgDef & { options?: string[] },
  value: unknown,
): void {
  const shown = type === 'positional' ? `<${name}>` : `--${name}`
  if (value === undefined && (required || type === 'positional'))
    throw new UsageError(`${shown} is missing`)
  if ([value].flat().includes('')) throw new UsageError(`${shown} is empty`)
  if (value !== undefined && options && !options.includes(String(value)))
    throw new UsageError(`${shown} must be one of ${options.join(', ')}`)
}

/** The value of a flag that is a number; what is no plain whole number is not guessed at. */
export function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined || /^\d{1,15}$/.test(text)) return text === undefined ? text : Number(text)
  throw new UsageError(`${flag} must be a whole number`)
}
