import type { SignedImpError } from '../errors.js'
import { announce } from './refuse.js'
import { sendReport, type Reported } from './report.js'

/** Tells of a refusal. @returns whether nobody shows something of their own */
export type Tell = (refused: SignedImpError) => boolean

/** A page that is refused again and again reports this often. */
const maxReports = 10

/** Addresses that an app makes may tell of its reader: what was imported goes without its query and its fragment. */
const strip = (text: string) => text.replace(/[?#].*/s, '')

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
  const sent = new Set<string>()
  return (refused) => {
    // What a module awaits while it is evaluated may be refused: then the module is, by the same error.
    if (told.has(refused)) return false
    told.add(refused)
    const { code, path, reason, message } = refused
    if (!sent.has(message) && sent.size < maxReports) {
      sent.add(message)
      sendReport(reported, { code, path: path && strip(path), reason: strip(reason), ...mark })
    }
    return tellPage(refused)
  }
}
