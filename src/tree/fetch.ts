/** Fetches from hosts, politely: few at a time, again after a while where a host is busy, and not for ever. */
import { setTimeout as sleep } from 'node:timers/promises'
import { SignedImpError, type SignedImpCode } from '../errors.js'

/** Bounds of a download. All can be smaller in tests. */
export interface Patience {
  /** How often a request is tried that got no answer, or one that says "later". */
  tries: number
  /** Milliseconds before the second try; twice as many before each further one. */
  pause: number
  /** Milliseconds without a byte. */
  stall: number
  /** Milliseconds for a whole file. */
  total: number
}

/** A host may be slow, and a file large. */
export const patience: Patience = { tries: 4, pause: 500, stall: 30_000, total: 600_000 }

/** The longest time that a host may ask for (`Retry-After`). */
const longestPause = 30_000

/**
 * Gives the bytes of a URL to `take`, piece by piece; what it gave back of an earlier try counts for nothing.
 * @param redirect whether another URL may answer in its place
 * @throws SignedImpError `ERR_SIGNEDIMP_MISSING` (404, 410), `…_NETWORK`, `…_TIMEOUT`
 */
export async function download<T>(
  url: string,
  take: (chunks: AsyncIterable<Uint8Array>) => Promise<T>,
  {
    redirect = 'error',
    bounds = patience,
  }: { redirect?: 'error' | 'follow'; bounds?: Patience } = {},
): Promise<T> {
  for (let tried = 1; ; tried++) {
    const outcome = await attempt(url, take, redirect, bounds)
    if ('value' in outcome) return outcome.value
    if (!outcome.isTemporary || tried >= bounds.tries) throw outcome.error
    await sleep(outcome.wait ?? bounds.pause * 2 ** (tried - 1))
  }
}

type Outcome<T> =
  { value: T } | { error: SignedImpError; isTemporary: boolean; wait?: number | undefined }

async function attempt<T>(
  url: string,
  take: (chunks: AsyncIterable<Uint8Array>) => Promise<T>,
  redirect: 'error' | 'follow',
  { stall, total }: Patience,
): Promise<Outcome<T>> {
  const control = new AbortController()
  const signal = AbortSignal.any([control.signal, AbortSignal.timeout(total)])
  let timer = setTimeout(() => control.abort(), stall)
  const awake = () => {
    clearTimeout(timer)
    timer = setTimeout(() => control.abort(), stall)
  }
  try {
    const response = await fetch(url, { redirect, signal })
    if (response.status !== 200) {
      await response.body?.cancel()
      return refusedBy(response, url)
    }
    return { value: await take(watched(response, awake)) }
  } catch (error) {
    if (error instanceof SignedImpError) throw error
    return failed(error as Error, signal.aborted, url)
  } finally {
    clearTimeout(timer)
  }
}

async function* watched({ body }: Response, awake: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of body ?? []) {
    awake()
    yield chunk as Uint8Array
  }
}

/** What an answer other than 200 says. */
function refusedBy({ status, headers }: Response, url: string): Outcome<never> {
  const isTemporary = status === 429 || status >= 500
  const isGone = status === 404 || status === 410
  const seconds = Number(headers.get('retry-after') ?? NaN)
  return {
    error: problem(
      isGone ? 'ERR_SIGNEDIMP_MISSING' : 'ERR_SIGNEDIMP_NETWORK',
      `status ${status}`,
      url,
    ),
    isTemporary,
    wait: seconds >= 0 ? Math.min(seconds * 1000, longestPause) : undefined,
  }
}

function failed(error: Error, isLate: boolean, url: string): Outcome<never> {
  const { message } = (error.cause as Error | undefined) ?? error
  if (isLate)
    return { error: problem('ERR_SIGNEDIMP_TIMEOUT', 'no answer in time', url), isTemporary: true }
  const isRedirect = /redirect/i.test(message)
  const reason = isRedirect
    ? 'is a redirect, which pages refuse'
    : `no answer: ${message || error.name}`
  return { error: problem('ERR_SIGNEDIMP_NETWORK', reason, url), isTemporary: !isRedirect }
}

const problem = (code: SignedImpCode, reason: string, url: string): SignedImpError =>
  new SignedImpError(code, reason, { path: url })

/**
 * All bytes of a URL.
 * @throws SignedImpError as {@link download}, and `ERR_SIGNEDIMP_MANIFEST_INVALID` on more than `maxBytes`
 */
export const downloadWhole = (url: string, maxBytes: number, bounds?: Patience): Promise<Buffer> =>
  download(
    url,
    async (chunks) => {
      const pieces: Uint8Array[] = []
      let left = maxBytes
      for await (const chunk of chunks) {
        left -= chunk.length
        if (left < 0)
          throw problem('ERR_SIGNEDIMP_MANIFEST_INVALID', `is larger than ${maxBytes} bytes`, url)
        pieces.push(chunk)
      }
      return Buffer.concat(pieces)
    },
    bounds ? { bounds } : {},
  )
