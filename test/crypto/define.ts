// What the build of a bootstrap puts in place of this name; tests run the source, with DER included.
Object.assign(globalThis, { __DER__: true })
