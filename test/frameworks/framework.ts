/** Texts by file. */
export type Files = Record<string, string>

/** A framework, the smallest app of it that has two lazy routes, and how that is protected. */
export interface Framework {
  name: string
  /** Exact versions by package; the first one is the framework's own. */
  packages: Record<string, string>
  /** Exact versions of what other packages ask for. */
  overrides?: Record<string, string>
  /** What `npx` makes the app with, in a folder `app`; without it, the app is written by hand. */
  starter?: string
  /** Files in place of the starter's, or beside them. */
  files: Files
  /** Files of the starter that are in the way. */
  without?: readonly string[]
  /** What `npx` builds the app with. */
  build: string
  /** Where the build leaves the pages. */
  output: string
  /** Files that bring the plugin in; without them, the folder is sealed. */
  plugin?: Files
  /** What had to be set beside that, as a row of the table. */
  configured: string
  /** What `signedimp seal` says where it refuses the folder, if it must. */
  refused?: RegExp
}

/** The pages of each app: the first one is opened, the others are reached by its links, as code that is loaded then. */
export const pages = ['home', 'a', 'b'] as const

/** A page of an app. */
export type PageName = (typeof pages)[number]

/** The statement by which a page tells that it is there, and runs. */
export const tellPage = (page: string): string => `Object.assign(globalThis, { __page: '${page}' })`

/** A file for each page. */
export const forPages = (
  nameOf: (page: PageName) => string,
  textOf: (page: PageName) => string,
): Files => Object.fromEntries(pages.map((page) => [nameOf(page), textOf(page)]))
