import type { Bytes } from '../crypto/bytes.js'
import { refusal } from './refuse.js'

/** Longest time one download of ours may take, in milliseconds. */
const deadline = 30_000

/** What a download brought. */
export interface Download {
  response: Response
  bytes: Bytes
}

/**
 * Fetches a whole body, bounded in time and size, so that no server can hold or fill the page.
 * @throws SignedImpError `ERR_SIGNEDIMP_NETWORK`, `ERR_SIGNEDIMP_TIMEOUT`
 */
export async function download(
  url: string,
  path: string,
  init: RequestInit,
  maxBytes: number,
): Promise<Download> {
  const aborter = new AbortController()
  const timer = setTimeout(() => aborter.abort(), deadline)
  try {
    // Without a prototype, so that nothing put on Object.prototype becomes an option.
    const options = { __proto__: null, ...init, signal: aborter.signal } as RequestInit
    const response = await fetch(url, options)
    return { response, bytes: await readBody(response, maxBytes) }
  } catch (cause) {
    throw aborter.signal.aborted
      ? refusal('TIMEOUT', 'the server did not finish its answer; try again', path, cause)
      : refusal('NETWORK', `could not be fetched (${cause}); try again`, path, cause)
  } finally {
    clearTimeout(timer)
    aborter.abort()
  }
}

async function readBody({ body }: Response, maxBytes: number): Promise<Bytes> {
  const chunks: Bytes[] = []
  let size = 0
  for (let reader = body!.getReader(), read; !(read = await reader.read()).done;) {
    chunks.push(read.value)
    if ((size += read.value.length) > maxBytes) throw RangeError(`over ${maxBytes} bytes`)
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}
