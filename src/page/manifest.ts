import type { Bytes } from '../crypto/bytes.js'
import { refusal } from '../manifest/refusal.js'
import { verifyManifest, type Trust } from '../manifest/verify.js'
import type { Boot } from './context.js'
import { download } from './download.js'
import { verifier } from './verifier.js'

/** Of a manifest, and of a runtime, which has much less. */
const maxBytes = 1 << 23
/** Most lines of a manifest's signed text in a page. */
export const maxManifestLines = 1 << 16

/** Fetches a manifest, and checks it. @throws SignedImpError */
export async function fetchManifest(
  url: string,
  trust: Trust,
  init: RequestInit = {},
): Promise<Pick<Boot, 'stored' | 'manifest'>> {
  const stored = await fetchWhole(url, init)
  const bounded = { ...trust, maxLines: maxManifestLines }
  return { stored, manifest: await verifyManifest(stored, bounded, verifier) }
}

/** @throws SignedImpError `ERR_SIGNEDIMP_MISSING`, `ERR_SIGNEDIMP_NETWORK`, `ERR_SIGNEDIMP_TIMEOUT` */
export async function fetchWhole(url: string, init: RequestInit): Promise<Bytes> {
  const { response, bytes } = await download(url, maxBytes, init)
  const { ok, status } = response
  if (!ok) throw refusal(status < 500 ? 'MISSING' : 'NETWORK', `status ${status}`, url)
  return bytes
}
