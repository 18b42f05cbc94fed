/** Set when the bootstrap is built: whether any of its keys signs in DER. Dead code goes. */
declare const __DER__: boolean

/** Stands in the built bootstrap once, for the plugin to put the pinned keys in its place. */
declare const __SIGNEDIMP_TRUST__: {
  keys: readonly import('../crypto/key.js').TrustedKey[]
  threshold: number
}
