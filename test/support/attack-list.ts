import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './files.ts'

/** The attacks of test/attacks/attacks.md: what each number says, without its sources. */
export function attackList(): Map<number, string> {
  const text = readFileSync(join(root, 'test/attacks/attacks.md'), 'utf8')
  const lines = text.matchAll(/^(\d+)\. (.+)$/gm)
  const list = new Map([...lines].map(([, number, words]) => [Number(number), shorten(words!)]))
  for (let number = 1; number <= list.size; number++) {
    if (!list.has(number)) throw new Error(`attacks.md has ${list.size} numbers, but not ${number}`)
  }
  return list
}

function shorten(words: string): string {
  const plain = words
    .replaceAll(/ ?\*\*\[M[^\]]*\](?:\*\*)?/g, '')
    .replaceAll(/ \[[^\]]*\]| \(d\)/g, '')
    .replaceAll('**', '')
    .replace(/^: /, '')
    .trim()
  if (plain.length <= 110) return plain
  const cut = plain.slice(0, 108).replace(/\W+\w*$/, '')
  const open = cut.split('`').length % 2 === 0
  return `${cut}${open ? '`' : ''} …`
}
