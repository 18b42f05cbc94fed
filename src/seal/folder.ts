/** A folder of built files, as an output that a seal works on. */
import MagicString from 'magic-string'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HashType } from '../crypto/algorithms.js'
import { hashBytes } from '../crypto/node.js'
import { findBaseElement } from '../emit/base-element.js'
import { createGraph, type Base, type Graph } from '../emit/graph.js'
import { judgeTag } from '../emit/judge.js'
import { isCode, isDocument, isPage, textOf, type Output, type OutputFile } from '../emit/output.js'
import { takenName } from '../emit/own-files.js'
import type { Release } from '../emit/release.js'
import { findTags, type Tag } from '../emit/tags.js'
import { refuseSecrets } from '../plugin/guard.js'
import type { Folder } from '../tree/walk.js'
import { findBase } from './base.js'
import { isInlineClassic } from './inline-imports.js'
import { isInlineModule, moveInlineModules } from './inline.js'
import { readImports } from './lexer.js'
import { markModules } from './modules.js'
import { refuseBootstraps } from './refuse.js'

/** A page of a folder, and how it refers to files. */
export interface FolderPage {
  path: string
  tags: Tag[]
  resolve(reference: string): string | undefined
}

/** Reads a folder. No file is a module yet. */
export function readOutput(
  dir: string,
  { files }: Folder,
  hash: HashType,
  secrets: string[],
): Output {
  const output: Output = new Map()
  for (const path of files.keys()) {
    const content = readFileSync(join(dir, path))
    refuseSecrets(path, content, secrets)
    output.set(path, toFile(path, content, hash))
  }
  return output
}

function toFile(path: string, content: Buffer, hash: HashType): OutputFile {
  const file = { path, isModule: false, isEntry: false }
  if (isPage(path) || isCode(path) || /\.(json|webmanifest)$/i.test(path))
    return { ...file, source: content }
  const fixed = isDocument(path) || isHtml(content) ? { fixed: content } : {}
  return { ...file, digest: hashBytes(hash, content), size: content.length, ...fixed }
}

/** Whether a file that is no page by its name is one by its text, as servers without extensions in their addresses have it. */
const isHtml = (content: Buffer): boolean =>
  /^(?:\xef\xbb\xbf)?(?:\s|<!--[^]*?-->)*<(?:!doctype\s+html|html)\b/i.test(
    content.toString('latin1', 0, 4096),
  )

/** The pages of an output, as they stand. */
export const pagesOf = (output: Output, graph: Graph): FolderPage[] =>
  [...output.values()]
    .filter(({ path }) => isPage(path))
    .map((file) => {
      const tags = findTags(textOf(file))
      const start = findBaseElement(file.path, tags)
      return { path: file.path, tags, resolve: (to) => graph.resolve(file.path, to, start) }
    })

/** Finds where the files will be, by what the pages name: scripts, what these preload and import, and stylesheets. */
export async function findPlace(output: Output): Promise<Base> {
  const references: [string, string][] = []
  for (const { path, tags } of pagesOf(output, createGraph(output, '')))
    for (const tag of tags) for (const to of await referencesOf(tag)) references.push([path, to])
  return findBase(output.keys(), references)
}

async function referencesOf(tag: Tag): Promise<string[]> {
  if (isInlineModule(tag) || isInlineClassic(tag))
    return ((await readImports(tag.text))?.named ?? []).map(({ specifier }) => specifier)
  const { name, attributes } = tag
  const isLoading =
    name === 'link' && /\b(modulepreload|stylesheet)\b/i.test(attributes.get('rel') ?? '')
  const reference = attributes.get(name === 'script' ? 'src' : 'href')
  return reference !== undefined && (name === 'script' || isLoading) ? [reference.trim()] : []
}

/** Makes a folder's output what a bundler would hand over: inline modules as files, and modules known as such. */
export async function prepare(
  output: Output,
  { base, unverified }: Pick<Release, 'base' | 'unverified'>,
): Promise<Graph> {
  for (const page of [...output.values()].filter(({ path }) => isPage(path))) {
    refuseBootstraps(page.path, textOf(page))
    const { html, files } = await moveInlineModules(page, createGraph(output, base), base)
    output.set(page.path, { ...page, source: html })
    for (const [path, source] of files) {
      // Two pages may say the same.
      if ((output.get(path)?.source ?? source) !== source) throw takenName(path)
      output.set(path, { path, source, isModule: false, isEntry: false, isContentNamed: true })
    }
  }
  const graph = createGraph(output, base)
  // Which of them is a module is what is asked for, so that all that a module tag names are.
  const isModule = () => true
  const starts = pagesOf(output, graph).flatMap(({ tags, resolve }) =>
    tags.flatMap((tag) => {
      const action = judgeTag(tag, { resolve, isModule })
      return action.kind === 'entry' ? action.path : []
    }),
  )
  await markModules(output, graph, starts, unverified)
  for (const { path, tags, resolve } of pagesOf(output, graph)) {
    const stale = tags.filter((tag) => isStale(tag, output, resolve))
    if (stale.length > 0) output.get(path)!.source = withoutIntegrity(output.get(path)!, stale)
  }
  return graph
}

/** Whether a tag preloads a module with the hash of bytes that a seal changes. Tags that load it are rewritten later. */
function isStale(
  { name, attributes }: Tag,
  output: Output,
  resolve: FolderPage['resolve'],
): boolean {
  const isPreload = name === 'link' && /\bpreload\b/i.test(attributes.get('rel') ?? '')
  const path = isPreload && attributes.has('integrity') && resolve(attributes.get('href') ?? '')
  return typeof path === 'string' && output.get(path)!.isModule
}

function withoutIntegrity(page: OutputFile, tags: readonly Tag[]): string {
  const text = new MagicString(textOf(page))
  for (const { start, end } of tags.map((tag) => tag.locate('integrity')!)) text.remove(start, end)
  return text.toString()
}
