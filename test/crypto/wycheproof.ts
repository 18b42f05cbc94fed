import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { TrustedKey } from '../../src/crypto/key.ts'
import { toTrustedKey } from '../../src/keys/public.ts'

/** One case of a Wycheproof file, with its group's key and parameters. */
export interface Case {
  title: string
  result: 'valid' | 'invalid' | 'acceptable'
  flags: string[]
  key: TrustedKey
  message: Uint8Array
  signature: Uint8Array
  /** RSA-PSS only. */
  sha: string
  mgfSha: string
  saltLength: number
}

interface Group {
  keyPem: string
  sha: string
  mgfSha: string
  sLen: number
  tests: {
    tcId: number
    comment: string
    msg: string
    sig: string
    result: Case['result']
    flags: string[]
  }[]
}

/** Every case of a file. */
export function casesOf(file: string): Case[] {
  const url = new URL(`../vectors/wycheproof/${file}_test.json`, import.meta.url)
  const { testGroups } = JSON.parse(readFileSync(url, 'utf8')) as { testGroups: Group[] }
  return testGroups.flatMap((group) => {
    const key = toTrustedKey(createPublicKey(group.keyPem))
    return group.tests.map((test) => toCase(group, key, test))
  })
}

const toCase = (group: Group, key: TrustedKey, test: Group['tests'][number]): Case => ({
  title: `${test.tcId} ${test.comment}`,
  result: test.result,
  flags: test.flags,
  key,
  message: fromHex(test.msg),
  signature: fromHex(test.sig),
  sha: group.sha,
  mgfSha: group.mgfSha,
  saltLength: group.sLen,
})

const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
