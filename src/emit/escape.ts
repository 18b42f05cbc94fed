/** A text between double quotes or between tags, in ASCII. */
export const escapeAttribute = (value: string): string =>
  value.replace(/[^ !#-%'-;=?-~]/gu, (char) => `&#${char.codePointAt(0)};`)
