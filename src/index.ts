/**
 * signedimp: the plugin for Vite, and the tools to sign and verify what a build left.
 * @module
 */
export { SignedImpError, type SignedImpCode } from './errors.js'
export { generateKey, type KeyAlgorithm } from './keys/generate.js'
export { pkcs11Signer, type TokenKey } from './keys/pkcs11.js'
export type { KeySource, Password, SignerObject } from './keys/private.js'
export { loadSigner } from './keys/private.js'
export { loadPublicKey, publicKeyPem, type PublicKeySource } from './keys/public.js'
export { saveKey } from './keys/save.js'
export type { SignedImpOptions } from './plugin/options.js'
export { signedImp, signedImp as default } from './plugin/rollup.js'
export { sealDirectory } from './seal/seal.js'
export type { SealOptions, SealReport } from './seal/types.js'
export { unsealDirectory, type UnsealOptions, type UnsealReport } from './seal/unseal.js'
export { pageTags, type PageTags, type PageTagsOptions } from './tree/page-tags.js'
export { FilesRefusedError, type FileProblem } from './tree/refused.js'
export { signDirectory, signZipfile, type SignOptions, type SignReport } from './tree/sign.js'
export {
  verifyDirectory,
  verifyZipfile,
  type VerifyOptions,
  type VerifyReport,
} from './tree/verify.js'
