/** Bootstraps of programs: what the file of an entry for servers becomes. */
import { readFile } from 'node:fs/promises'
import { hashBytes } from '../crypto/node.js'
import { toLiteral } from '../manifest/linking.js'
import type { Program, ProgramFormat } from '../manifest/program.js'
import { fill, handOn, handsOn } from './bootstrap.js'
import type { Release } from './release.js'
import { lastSegment } from './graph.js'
import { toAscii } from './rewrite.js'

const programSlot = '__SIGNEDIMP_PROGRAM__'
const trustSlot = '__SIGNEDIMP_TRUST__'
const mainSlot = '__SIGNEDIMP_MAIN__'

/** What the package ships for servers, as built: the bootstrap without keys and entry, by what it starts. */
export type ProgramCode = Record<ProgramFormat, string>

/** Reads what is built for servers. */
export const readProgramCode = async (): Promise<ProgramCode> => ({
  module: await read('program.js'),
  commonjs: await read('program.cjs'),
})

const read = (file: string): Promise<string> =>
  readFile(new URL(`./bootstrap/${file}`, import.meta.url), 'utf8')

/**
 * The file of an entry: the bootstrap with its program in it.
 * @param exports the names that the main chunk of an ES module exports, which this file hands on; `require` gives all
 */
export function createProgramBootstrap(
  { program: built }: Pick<Release, 'program'>,
  program: Program,
  exports: readonly string[],
): string {
  const { format, main } = program
  const code = fill(built![format].trim(), programSlot, toAscii(toLiteral(program)))
  if (format === 'commonjs')
    return `${fill(code, mainSlot, toAscii(JSON.stringify(`./${lastSegment(main)}`)))}\n`
  const [all, name] = handsOn.exec(code) ?? []
  if (all === undefined) throw new Error('the built program bootstrap exports nothing to hand on')
  return code.slice(0, -all.length) + handOn(name!, exports)
}

/** Whom code that somebody embeds trusts. */
export type EmbeddedTrust = Pick<Program, 'keys' | 'threshold' | 'name' | 'build' | 'manifest'>

/** Code that exports `start`, with what it trusts in it. @param format as bundlers call it */
export const createEmbedded = async (
  format: 'esm' | 'cjs',
  trust: EmbeddedTrust,
): Promise<string> =>
  fill(await read(`embed.${format === 'cjs' ? 'cjs' : 'js'}`), trustSlot, toAscii(toLiteral(trust)))

/** What the bootstrap of a program says of a release, in short: part of the names of entries' files that have hashes. */
export const digestProgram = ({ program, keys, threshold, ...release }: Release): string =>
  hashBytes(
    'sha256',
    JSON.stringify([
      program,
      keys.map(({ fingerprint }) => fingerprint),
      [threshold, release.name, release.build, release.manifestName],
      release.unverified,
    ]),
  )
