import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { SignedImpError } from '../errors.js'
import { codeOf, wrongType } from './source.js'

/** A key file's password, or who knows it. */
export type Password = string | (() => string | Promise<string>)

/** Where to look for a password. */
export interface PasswordOptions {
  password?: Password | undefined
  /** Holds the variable, or the same with `_FILE`. @default process.env */
  env?: NodeJS.ProcessEnv
  /** What a relative `SIGNEDIMP_PASSWORD_FILE` is relative to. @default process.cwd() */
  cwd?: string
  /** @default 'SIGNEDIMP_PASSWORD' */
  variable?: string
}

/**
 * The password for a key file: from the option, else from the environment, else undefined; an empty one is none.
 * Nobody is asked: a build that waits for a keyboard hangs.
 */
export async function findPassword(options: PasswordOptions): Promise<string | undefined> {
  const {
    password,
    env = process.env,
    cwd = process.cwd(),
    variable = 'SIGNEDIMP_PASSWORD',
  } = options
  if (password !== undefined) return fromOption(password)
  if (env[variable]) return env[variable]
  const file = env[`${variable}_FILE`]
  return file ? fromFile(resolve(cwd, file), variable) : undefined
}

async function fromOption(password: Password): Promise<string | undefined> {
  const value: unknown = typeof password === 'function' ? await password() : password
  if (typeof value === 'string' || value === undefined) return value || undefined
  throw wrongType('password', 'a string, or a function that gives one', value)
}

// The message does not repeat what the variable holds: some put the password itself there.
async function fromFile(file: string, variable: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '') || undefined
  } catch (error) {
    const reason = `${variable}_FILE names a file that cannot be read (${codeOf(error)})`
    throw new SignedImpError('ERR_SIGNEDIMP_PASSWORD', reason)
  }
}
