/** How the bytes of a file before it was sealed are made of those after: few of them differ. */

/** What follows one another in the earlier bytes: a range of the later ones, or bytes of their own in base64. */
export type Delta = (readonly [start: number, length: number] | string)[]

/** As short as pays, and as long as hardly ever stands there twice. */
const window = 24

/** What makes `before` of `after`. */
export function makeDelta(before: Buffer, after: Buffer): Delta {
  const delta: Delta = []
  const places = indexWindows(after)
  let copied = 0
  let drift = 0
  const tell = (to: number) => {
    if (to > copied) delta.push(before.toString('base64', copied, to))
  }
  for (let at = 0; at + window <= before.length;) {
    const start = findWindow(before, at, after, at + drift, places)
    if (start === undefined) {
      at++
      continue
    }
    const back = matchBack(before, at, after, start, at - copied)
    const length = back + matchLength(before, at, after, start)
    at -= back
    tell(at)
    delta.push([start - back, length])
    at += length
    copied = at
    drift = start - back + length - at
  }
  tell(before.length)
  return delta
}

/** Where each window stands, of those that do not overlap. */
function indexWindows(bytes: Buffer): Map<string, number> {
  const places = new Map<string, number>()
  for (let at = 0; at + window <= bytes.length; at += window) {
    const key = bytes.toString('latin1', at, at + window)
    if (!places.has(key)) places.set(key, at)
  }
  return places
}

/** Where the window at `at` stands in `after`: where it would be if nothing changed since the last one, or elsewhere. */
function findWindow(
  before: Buffer,
  at: number,
  after: Buffer,
  expected: number,
  places: ReadonlyMap<string, number>,
): number | undefined {
  const key = before.toString('latin1', at, at + window)
  const isThere = expected >= 0 && after.toString('latin1', expected, expected + window) === key
  return isThere ? expected : places.get(key)
}

function matchLength(before: Buffer, at: number, after: Buffer, start: number): number {
  let length = window
  while (
    at + length < before.length &&
    start + length < after.length &&
    before[at + length] === after[start + length]
  )
    length++
  return length
}

/** How many bytes before a match are the same too: windows are looked for from their first byte on. */
function matchBack(before: Buffer, at: number, after: Buffer, start: number, most: number): number {
  let length = 0
  while (length < Math.min(most, start) && before[at - length - 1] === after[start - length - 1])
    length++
  return length
}

/** How often the later bytes may stand in the earlier ones: else a few words could ask for all memory. */
const mostCopies = 16

/** The earlier bytes. @returns undefined for a delta that is not of these bytes */
export function applyDelta(delta: Delta, after: Buffer): Buffer | undefined {
  const lengths = delta.map((part) => (typeof part === 'string' ? 0 : part[1]))
  if (lengths.reduce((sum, length) => sum + length, 0) > mostCopies * after.length) return undefined
  const parts = delta.map((part) => {
    if (typeof part === 'string') return Buffer.from(part, 'base64')
    const [start, length] = part
    return start + length <= after.length ? after.subarray(start, start + length) : undefined
  })
  return parts.every((part) => part !== undefined) ? Buffer.concat(parts as Buffer[]) : undefined
}
