import type { Verifier } from '../crypto/key.js'
import { pureCrypto } from '../crypto/pure.js'
import { webCrypto } from '../crypto/webcrypto.js'

/** Who hashes and verifies for this page: the engine, or where it gives no cryptography and the build asked for it, we. */
export const verifier: Verifier = __PURE__ && !(crypto.subtle as unknown) ? pureCrypto : webCrypto
