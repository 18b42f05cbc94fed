import { escapeAttribute } from '../emit/escape.js'
import { printable } from '../tree/printable.js'

/** A text as HTML or SVG, between tags or double quotes: no name of a file can be more than a name. */
export const text = (value: string | number): string => escapeAttribute(printable(String(value)))

/** A size for people. */
export const kilobytes = (bytes: number): string =>
  bytes < 1024
    ? `${bytes} B`
    : `${(bytes / 1024).toLocaleString('en', { maximumFractionDigits: 1 })} KB`

/** How many of what there are. */
export const countOf = (count: number, one: string): string =>
  `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`
