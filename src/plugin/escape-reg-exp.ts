/** The source of a pattern that matches a text and nothing else. */
export const escapeRegExp = (text: string): string => text.replace(/[^\w]/gu, '\\$&')
