import type { SignedImpError } from '../errors.js'
import { announce } from './refuse.js'
import { sendReport, type Reported } from './report.js'

/** Tells of a refusal. @returns whether nobody shows something of their own */
export type Tell = (refused: SignedImpError) => boolean

/** A page that is refused again and again reports this often. */
const maxReports = 10

/** Addresses that an app makes may tell of its reader: what was imported goes without its query and its fragment. */
const strip = (text: string) => text.replace(/[?#].*/s, '')

/** Sends what is refused to an address. @param mark what reports say beside that */
export type Send = (reported: Reported, refused: SignedImpError, mark?: object) => void

/** @returns sends alike refusals once, and no more of them than a server should have to bear of one page */
export function createSend(): Send {
  const sent = new Set<string>()
  return (reported, { code, path, reason, message }, mark = {}) => {
    const key = message + JSON.stringify(mark)
    if (sent.has(key) || sent.size >= maxReports) return
    sent.add(key)
    sendReport(reported, { code, path: path && strip(path), reason: strip(reason), ...mark })
  }
}

/**
 * @param tellPage tells the page itself
 * @param mark what reports say beside what is refused
 * @returns tells of each refusal once: the page, by an event, and the address that it names, which hears of alike ones once
 */
export function createTell(
  reported: Reported = {},
  tellPage: Tell = announce,
  mark: object = {},
): Tell {
  const told = new WeakSet<SignedImpError>()
  const send = createSend()
  return (refused) => {
    // What a module awaits while it is evaluated may be refused: then the module is, by the same error.
    if (told.has(refused)) return false
    told.add(refused)
    send(reported, refused, mark)
    return tellPage(refused)
  }
}
