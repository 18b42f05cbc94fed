import type { SignedImpError } from '../errors.js'

/** What a page or an entry says of itself, and where its refusals are reported to, if anywhere. */
export interface Reported {
  name?: string | undefined
  build?: string | number | undefined
  report?: string | undefined
}

type Refused = Pick<SignedImpError, 'code' | 'path' | 'reason'>

/** Sends what is known of a refusal to the site's own address. Without a build, that is null. */
export const sendReport = ({ name, build, report }: Reported, refused: Refused): unknown =>
  report && navigator.sendBeacon(report, JSON.stringify({ ...refused, name, build: +build! }))
