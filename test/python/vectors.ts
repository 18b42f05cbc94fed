import type { KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { publicFromNumbers } from '../../src/keys/numbers.ts'
import { root } from '../support/files.ts'

/** The folder of what Python's signedimp made. */
export const vectors: string = join(root, 'test/vectors/python')

/** The public numbers of a key, in decimal. */
export interface Numbers {
  n: string
  e: string
  /** As Python's signedimp makes it. */
  fingerprint: string
}

/** A manifest, and what Python's verifier said of it. */
export interface Case {
  name: string
  keys: Numbers[]
  /** Base64 by path. */
  files: Record<string, string>
  manifest_b64: string
  python_result: Record<string, string | number>
}

const read = (name: string) => JSON.parse(readFileSync(join(vectors, name), 'utf8'))

/** All cases. */
export const cases: Case[] = read('cases.json')

/** The files that Python signed: base64 by path. */
export const signedFiles: Record<string, string> = read('files.json')

/** Keys by their size in bits; `2048e3` has the exponent 3. */
export const numbers: Record<string, Numbers> = read('keys.json')

/** The public key that numbers are. */
export const keyOf = ({ n, e }: Numbers): KeyObject =>
  publicFromNumbers({ n: BigInt(n), e: BigInt(e) }, { option: 'key' })
