import picocolors from 'picocolors'
import { printable } from '../tree/printable.js'

/** A line of output, and its colour where a person looks and wants colours. */
export type Line = string | { text: string; colour: 'red' | 'green' | 'yellow' }

/** Prints lines; what cannot be printed in them is escaped, as names of files and unverified manifests may hold anything. */
export function print(stream: NodeJS.WriteStream, lines: readonly Line[]): void {
  const colours = picocolors.createColors(wantsColours(stream))
  for (const line of lines) {
    const { text, colour } = typeof line === 'string' ? { text: line } : line
    stream.write((colour ? colours[colour](printable(text)) : printable(text)) + '\n')
  }
}

/** Prints one JSON object. The escapes of {@link print} are JSON's too. */
export const printJson = (data: object): void =>
  print(process.stdout, JSON.stringify(data, null, 2).split('\n'))

/** Whether a stream is a terminal whose owner has not turned colours off. Nothing else turns them on: picocolors left alone heeds CI. */
export const wantsColours = (stream: NodeJS.WriteStream): boolean =>
  Boolean(stream.isTTY) && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
