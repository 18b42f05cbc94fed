/** Without a secure context there are no UUIDs. The letter, for numbers alone might be taken for an address. */
export const randomName = (): string => 'r' + crypto.getRandomValues(new Uint32Array(4)).join('')
