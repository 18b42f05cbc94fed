/** Types by extension (WHATWG MIME Sniffing, IANA): the server's word for them is not signed. */
const types: Record<string, string> = {
  avif: 'image/avif',
  gif: 'image/gif',
  ico: 'image/x-icon',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  png: 'image/png',
  svg: 'image/svg+xml',
  webp: 'image/webp',
  otf: 'font/otf',
  ttf: 'font/ttf',
  woff: 'font/woff',
  woff2: 'font/woff2',
  flac: 'audio/flac',
  m4a: 'audio/mp4',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  opus: 'audio/ogg',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  webm: 'video/webm',
  css: 'text/css',
  json: 'application/json',
  js: 'text/javascript',
  mjs: 'text/javascript',
  pdf: 'application/pdf',
  txt: 'text/plain',
  wasm: 'application/wasm',
}

/** The type of a file by its path. Never a page's: in a frame, or opened, its scripts would run beside the app and unchecked. */
export function typeOf(path: string): string {
  const extension = /\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(types, extension) ? types[extension]! : 'application/octet-stream'
}
