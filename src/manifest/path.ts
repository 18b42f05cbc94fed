/** The one spelling of a file's name in a manifest, and the URL it stands for. */

// Control characters, the backslash, line separators, what reorders or hides text, and what stands for text that is not
// UTF-8 (U+FFFD from a decoder; lone surrogates, which `u` makes \p{Cs} find, from a file system).
const unsafe = /^$|[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_C}\\\ufeff\ufffd]/u

// A space at the end is no part of a URL: browsers cut it off.
const emptyOrDots = /(^|\/)\.{0,2}(\/|$)| $/

/** Whether a text can stand in a directive or be part of a path. */
export const isSafeText = (text: string): boolean => !unsafe.test(text) && text.normalize() === text

/** Whether `path` is a path that a manifest may list: relative, `/` between segments, NFC, none of them empty, `.` or `..`. */
export const isPath = (path: string): boolean => isSafeText(path) && !emptyOrDots.test(path)

/** Whether a page may load a path as a module, so that its map guards it as one. */
export const isModulePath = (path: string): boolean => /\.m?js(on)?$/.test(path)

/** Whether a path names a file of ours that guards something in pages. */
export const isPageGuard = (path: string): boolean =>
  /^signedimp-(fetch|workers)-\w{16}\.js$/.test(path)

/** Whether a path names the one that guards `fetch`. */
export const isGuard = (path: string): boolean => /^signedimp-fetch-\w{16}\.js$/.test(path)

/**
 * Whether a path names a source map. No page runs one, and uploaders delete them in the build or after it: one that is
 * gone is no fault. One that is changed is.
 */
export const isSourceMap = (path: string): boolean => /\.(?:[cm]?js|css)\.map$/.test(path)

/**
 * The address of a path below a folder's, as that is spelled: nothing is escaped but what would end it, so that no two paths
 * share one by accident.
 * @param folder ends in a slash
 */
export const below = (folder: string, path: string): string =>
  folder + path.replace(/[%?#]/g, encodeURIComponent)

/** The relative URL of a path. */
export const pathToRelativeUrl = (path: string): string => below('./', path)

/** The URL of a path below `base` (a folder's URL, with its last slash). */
export const pathToUrl = (path: string, base: string): string =>
  new URL(below('./', path), base).href

/** Order of UTF-8 bytes, which is the order of code points and not of UTF-16 units: positive when `a` comes after `b`. */
export function comparePaths(a: string, b: string): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1)
}
