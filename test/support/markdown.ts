import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './files.ts'

/** Text of a document of this checkout. */
export const readDocument = (path: string): string => readFileSync(join(root, path), 'utf8')

const fence = /^( *)```(\w*)\n([^]*?)^\1```$/gm

/** A document without its blocks of code, in which signs mean other things. */
const prose = (text: string): string => text.replace(fence, '')

/** What stands under a heading, down to the next one that is no deeper. */
export function sectionOf(text: string, heading: string): string {
  const blank = (block: string) => block.replace(/[^\n]/g, ' ')
  const found = new RegExp(`^(#+) ${heading}$`, 'm').exec(text)
  if (!found) throw new Error(`no heading "${heading}"`)
  const start = found.index + found[0].length
  const next = new RegExp(`^#{1,${found[1]!.length}} `, 'm')
  const end = text.slice(start).replace(fence, blank).search(next)
  return text.slice(start, end < 0 ? undefined : start + end)
}

/** A block of code. */
export interface Block {
  language: string
  code: string
}

/** All blocks of code, in order. */
export const allBlocks = (text: string): Block[] =>
  [...text.matchAll(fence)].map(([, indent, language, code]) => ({
    language: language!,
    code: code!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }))

/** The blocks of code in a language, without the indent of a list. */
export const blocksOf = (text: string, language: string): string[] =>
  allBlocks(text).flatMap((block) => (block.language === language ? block.code : []))

/** The rows of a table as texts, without its head; no cell of ours holds a bar. */
export const rowsOf = (text: string): string[][] =>
  [...prose(text).matchAll(/^\| (.+) \|$/gm)]
    .map(([, row]) => row!.split('|').map((cell) => cell.trim()))
    .slice(1)
    .filter(([first]) => !/^-+$/.test(first!))

/** What stands between backticks. */
export const codesOf = (text: string): string[] =>
  [...prose(text).matchAll(/`([^`]+)`/g)].map(([, code]) => code!)

/** The headings of one depth with what stands under each, down to the next one that is no deeper. */
export const headingsOf = (text: string, depth: number): [heading: string, section: string][] =>
  [...prose(text).matchAll(new RegExp(`^#{${depth}} (.+)$`, 'gm'))].map(([, heading]) => [
    heading!,
    sectionOf(text, escapeRegExp(heading!)),
  ])

const escapeRegExp = (text: string): string => text.replace(/[^\w\s]/g, '\\$&')

/** Targets of the links. */
export const linksOf = (text: string): string[] =>
  [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)

/** The names by which links reach the headings. */
export const anchorsOf = (text: string): string[] =>
  [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
