import { inspect } from 'node:util'
import * as assert from 'uvu/assert'
import { throwsCode } from '../support/throws.ts'

/** The password of every encrypted key here, but where a test says otherwise. */
export const password = 'correct horse battery'

/**
 * Asserts that a key is refused, in words and without a secret: neither a password, nor a piece of what was read,
 * nor OpenSSL's own message is anywhere in the error.
 */
export async function refused(
  code: 'ERR_SIGNEDIMP_KEY' | 'ERR_SIGNEDIMP_PASSWORD',
  work: () => unknown,
  words: string | RegExp = '',
  secret = '',
): Promise<void> {
  const error = await throwsCode(work, code)
  assert.match(error.message, words)
  assertNoSecret(error, secret)
}

/** Asserts that a caller's mistake is a TypeError with these words, and says nothing of the value. */
export async function mistaken(
  work: () => unknown,
  words: string | RegExp,
  secret = '',
): Promise<void> {
  let error: unknown
  try {
    await work()
  } catch (caught) {
    error = caught
  }
  assert.instance(error, TypeError, `expected a TypeError, but got ${String(error)}`)
  assert.match((error as TypeError).message, words)
  assertNoSecret(error, secret)
}

function assertNoSecret(error: unknown, secret: string): void {
  const shown = inspect(error, { depth: 9, showHidden: true })
  const message = shown.split('\n    at ')[0]!
  for (const part of [password, 'routines', 'ERR_OSSL', ...piecesOf(secret)])
    assert.not.ok(message.includes(part), `"${part}" is in: ${message}`)
}

/** The long words of a secret, each in pieces that would give it away. */
const piecesOf = (secret: string): string[] =>
  (secret.match(/[\w+/=-]{12,}/g) ?? [])
    .filter((word) => !word.includes('-----'))
    .flatMap((word) => word.match(/.{12}/g) ?? [])
