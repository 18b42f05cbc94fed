/** The engine's own `import()`. */
export type NativeImport = (url: string, options?: ImportCallOptions) => Promise<unknown>

/**
 * The `import()` of the file that holds this. Of the runtimes of pages only: in the library, a signed page's build would make
 * it a call of the page's own registry.
 */
export const importNatively: NativeImport = (url, options) =>
  options ? import(url, options) : import(url)
