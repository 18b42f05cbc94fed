declare module '*.css'

declare module '*.svg' {
  /** Address of the file, as the loader "file" gives it. */
  const address: string
  export default address
}
