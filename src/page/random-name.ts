/** Without a secure context there are no UUIDs. The letter, for numbers alone might be taken for an address. */
export const randomName = (): string => 'r' + crypto.getRandomValues(new Uint32Array(4)).join('')

/** A name that nobody can know; in the engine's shorter way, but for pages that may have no secure context. */
export const newName = (): string => (__PURE__ ? randomName() : crypto.randomUUID())
