import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { Example } from './examples.ts'
import { root } from './files.ts'
import { shapeOf } from './readme-app.ts'

/** A message in the sources. */
export interface Thrown {
  /** As the sources spell it. */
  message: string
  /** What it looks like when it is thrown. */
  pattern: RegExp
}

/** Code that makes an error or a reason, up to the text of it. */
const makers = {
  TypeError: /new TypeError\(\s*/g,
  SignedImpError: /'ERR_SIGNEDIMP_\w+',\s*/g,
  reason: /\breason: |\buncovered\((?:[^,()]|\([^()]*\))+,\s*|^ +[?:] (?='\w[\w ]{8})/gm,
} as const

/** The messages that are written down where errors are made, in folders or files of the sources. */
export const messagesThrown = (paths: string[], kind: keyof typeof makers): Thrown[] =>
  paths.flatMap((path) => textsIn(path, makers[kind]))

/** The texts that stand behind something in a folder or a file of the sources. */
export const textsIn = (path: string, maker: RegExp): Thrown[] =>
  textsOf(path).flatMap((text) =>
    [...text.matchAll(maker)].flatMap(({ 0: before, index }) => {
      const message = literalIn(text.slice(index + before.length))
      return message === undefined ? [] : { message, pattern: toPattern(message) }
    }),
  )

/** The text that a source begins with, if it begins with one; an expression in a template is `${}`. */
function literalIn(source: string): string | undefined {
  const quote = source[0]!
  if (!`'"\``.includes(quote)) return undefined
  let text = ''
  let depth = 0
  for (let at = 1; at < source.length; at++) {
    if (depth === 0 && source[at] === quote) return text
    if (quote === '`' && source.startsWith('${', at)) {
      if (depth++ === 0) text += '${}'
      at++
    } else if (depth > 0) depth += source[at] === '{' ? 1 : source[at] === '}' ? -1 : 0
    else text += source[at] === '\\' ? unescape(source[++at]!) : source[at]
  }
  return undefined
}

const unescape = (sign: string): string => (sign === 'n' ? '\n' : sign)

function textsOf(path: string): string[] {
  const file = join(root, path)
  if (path.endsWith('.ts')) return [readFileSync(file, 'utf8')]
  return readdirSync(file, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(file, name), 'utf8'))
}

/** A text of the sources as a pattern: anything may stand in the place of an expression. */
const toPattern = (message: string): RegExp =>
  new RegExp(
    message
      .split('${}')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^]*'),
  )

/**
 * Compares an error with what a document says of it, but for hashes and numbers. A command prints more around it.
 */
export function checkMessage({ command, text }: Example, error: string): void {
  if (command === undefined) assert.is(shapeOf(error), shapeOf(text))
  else assert.ok(shapeOf(error).includes(`: ${shapeOf(text)}\n`), error)
}
