import type { SignedImpError } from '../errors.js'

/** What a page or an entry says of itself, and where its refusals are reported to, if anywhere. */
export interface Reported {
  name?: string
  build?: string | number
  report?: string
}

type Refused = Pick<SignedImpError, 'code' | 'path' | 'reason'>

/** Sends what is known of a refusal to the site's own address. Without a build, that is null. */
export const sendReport = ({ report, name, build }: Reported, refused: Refused): unknown =>
  report && navigator.sendBeacon(report, JSON.stringify({ ...refused, name, build: +build! }))
