import type { Bytes } from '../crypto/bytes.js'
import { refusal } from '../manifest/refusal.js'
import type { Boot } from './context.js'

/** Most bytes of a file of the app. */
export const maxFileBytes = 1 << 26

/** Longest time that one download of ours may take, in milliseconds. */
const deadline = 30_000

/**
 * The engine's own `fetch`, before anything of the app ran, and before it was guarded: of what comes later, the bootstrap
 * has kept it.
 */
export const nativeFetch: typeof fetch =
  (__MODULE__ && (Reflect.get(globalThis, '__signedimp') as Partial<Boot> | undefined)?.fetch) ||
  fetch

/** What a download brought. */
export interface Download {
  response: Response
  bytes: Bytes
}

/**
 * Fetches a whole body, bounded in time and size, so that no server can hold or fill the page.
 * @param init may bring another deadline in the module form
 * @throws SignedImpError `ERR_SIGNEDIMP_NETWORK`, `ERR_SIGNEDIMP_TIMEOUT`
 */
export async function download(
  url: string,
  maxBytes: number,
  init: RequestInit,
): Promise<Download> {
  const signal = (__MODULE__ && init.signal) || AbortSignal.timeout(deadline)
  try {
    const response = await nativeFetch(url, { ...init, signal })
    const chunks: Bytes[] = []
    let size = 0
    for (let reader = response.body!.getReader(), read; !(read = await reader.read()).done;) {
      chunks.push(read.value)
      if ((size += read.value.length) > maxBytes) throw maxBytes
    }
    return { response, bytes: new Uint8Array(await new Blob(chunks).arrayBuffer()) }
  } catch {
    throw refusal(signal.aborted ? 'TIMEOUT' : 'NETWORK', 'no answer', url)
  }
}
