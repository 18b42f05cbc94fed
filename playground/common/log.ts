/**
 * What this page did, in order, and from where: read by the demo's panel and by tests. Each line ends
 * with the document's readyState at that moment.
 */
declare global {
  var __log: string[]
  var __urls: Record<string, string>
}

globalThis.__log ??= []
globalThis.__urls ??= {}

/** Adds a line to the page's log. */
export function note(line: string): void {
  globalThis.__log.push(`${line} @${document.readyState}`)
}

/** Every module of the app calls this once, while it is evaluated. */
export function evaluated(name: string, url: string): void {
  globalThis.__urls[name] = url
  note(`evaluated ${name}`)
}

evaluated('log', import.meta.url)
