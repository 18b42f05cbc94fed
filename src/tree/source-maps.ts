/**
 * Whether a path names a source map. No page runs one, and uploaders delete them in the build or after it: one that is
 * gone is no fault. One that is changed is.
 */
export const isSourceMap = (path: string): boolean => /\.(?:[cm]?js|css)\.map$/.test(path)
