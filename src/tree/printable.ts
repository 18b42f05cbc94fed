// What moves the cursor, colours, reorders or hides what a terminal or a browser shows.
const unprintable = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu

/** A text in which what cannot be seen is spelled out: names of files and unverified manifests may hold anything. */
export const printable = (text: string): string =>
  text.replace(unprintable, (char) => '\\u' + char.charCodeAt(0).toString(16).padStart(4, '0'))
