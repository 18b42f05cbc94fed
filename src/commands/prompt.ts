import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { SignedImpError } from '../errors.js'

/** Whether a person can be asked: one who types, and sees what is asked. */
export const canAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY

/** Asks questions on standard error, one after the other, and reads the answers without showing them. */
export async function askHidden(questions: readonly string[]): Promise<string[]> {
  const mute = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({
    input: process.stdin,
    output: mute,
    terminal: true,
    historySize: 0,
  })
  // One reader for all questions: a second one would lose what was typed ahead.
  const answers = lines[Symbol.asyncIterator]()
  lines.once('SIGINT', () => lines.close())
  try {
    const given: string[] = []
    for (const question of questions) given.push(await ask(question, answers))
    return given
  } finally {
    lines.close()
  }
}

async function ask(question: string, answers: AsyncIterator<string>): Promise<string> {
  process.stderr.write(question)
  const { value, done } = await answers.next()
  process.stderr.write('\n')
  if (!done) return value
  throw new SignedImpError('ERR_SIGNEDIMP_PASSWORD', 'no password was given')
}
