/**
 * What the hooks use while a program runs, as it was before any of its code ran: a program, or what it is made of, may
 * replace methods of `String.prototype` or functions of `node:fs` later, and give all objects properties.
 *
 * Code that runs after the start uses these, comparisons, indices and templates, and nothing that looks up a method:
 * no `for … of`, no spreading of arrays, no regular expressions.
 */
import { hash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compileFunction } from 'node:vm'
import { Module } from './builtins.js'

/** A method as a function of its object: `bind` is looked up now and never again. */
export const uncurry = <This, Args extends unknown[], Result>(
  method: (this: This, ...args: Args) => Result,
): ((self: This, ...args: Args) => Result) =>
  Function.prototype.call.bind(method) as (self: This, ...args: Args) => Result

export const startsWith = uncurry(String.prototype.startsWith)
export const endsWith = uncurry(String.prototype.endsWith)
export const slice = uncurry(String.prototype.slice)
export const indexOf = uncurry(String.prototype.indexOf)
export const lastIndexOf = uncurry(String.prototype.lastIndexOf)
export const replaceAll = uncurry(
  String.prototype.replaceAll as (this: string, from: string, to: string) => string,
)
export const hasOwn = Object.hasOwn
export const keysOf = Object.keys as (object: object) => string[]
export const parseJson = JSON.parse
export const create = Object.create as (prototype: null) => Record<string, never>
export const freeze = Object.freeze
export const apply = Reflect.apply
export const construct = Reflect.construct

const get = uncurry(Map.prototype.get)
const set = uncurry(Map.prototype.set)
const has = uncurry(Map.prototype.has)

/** What a map has, whoever replaced its methods. */
export const getOf = <Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): Value | undefined =>
  get(map as Map<unknown, unknown>, key) as Value | undefined
export const hasIn = <Key>(map: ReadonlyMap<Key, unknown>, key: Key): boolean =>
  has(map as Map<unknown, unknown>, key)
export const setIn = <Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void =>
  void set(map as Map<unknown, unknown>, key, value)

const append = uncurry(Array.prototype.push)

/** Adds to a list that only this module's callers have. */
export const pushTo = <Item>(list: Item[], item: Item): void => void append(list, item)

const cut = uncurry(Array.prototype.splice as (start: number, count: number) => unknown[])

/** Takes an item away from such a list. */
export const removeAt = (list: unknown[], at: number): void => void cut(list, at, 1)

const decode = uncurry(TextDecoder.prototype.decode)
const decoder = new TextDecoder()

/** Text of UTF-8 bytes, as Node makes it of files: without a byte order mark. */
export const textOf = (bytes: Uint8Array): string => decode(decoder, bytes)

const getter = <Name extends 'href' | 'search' | 'hash'>(name: Name) =>
  uncurry(Object.getOwnPropertyDescriptor(URL.prototype, name)!.get as (this: URL) => string)
const hrefOf = getter('href')
const searchOf = getter('search')
const hashOf = getter('hash')
const ParsedUrl = URL

/** A URL by what it is relative to. @throws TypeError on what is none */
export const resolveUrl = (reference: string, base?: string): string =>
  hrefOf(new ParsedUrl(reference, base))

/** The URL of a file, with the query and the fragment of another. */
export function fileUrl(path: string, like?: string): string {
  const url = hrefOf(pathToFileURL(path))
  if (like === undefined) return url
  const parsed = new ParsedUrl(like, 'file:')
  return url + searchOf(parsed) + hashOf(parsed)
}

const { isBuiltin } = Module

/** The functions of Node, by their names in it. */
export const node = freeze({
  __proto__: null,
  closeSync,
  compileFunction,
  dirname,
  fileURLToPath,
  fstatSync,
  hash,
  isAbsolute,
  isBuiltin,
  openSync,
  readFileSync,
  realpathSync,
  resolve,
  sep,
}) as Readonly<{
  closeSync: typeof closeSync
  compileFunction: typeof compileFunction
  dirname: typeof dirname
  fileURLToPath: typeof fileURLToPath
  fstatSync: typeof fstatSync
  hash: typeof hash
  isAbsolute: typeof isAbsolute
  isBuiltin: typeof isBuiltin
  openSync: typeof openSync
  readFileSync: typeof readFileSync
  realpathSync: typeof realpathSync
  resolve: typeof resolve
  sep: string
}>
