/** A kind of server that a file with headers can be written for. */
export type HeadersForm = '_headers' | 'nginx' | 'apache' | 'json'

/** The files of the forms, at the output's root. */
export const headersFiles: Record<HeadersForm, string> = {
  _headers: '_headers',
  nginx: 'signedimp-headers.nginx.conf',
  apache: '.htaccess',
  json: 'signedimp-headers.json',
}

/** Whether a path is that of a file with headers, which servers read and no page does. */
export const isHeadersFile = (path: string): boolean => Object.values(headersFiles).includes(path)

/**
 * Which policy pages are made for: that they may load what a script of theirs adds (`strict-dynamic`, default), or by the
 * hosts of their files (`self`). Then a page's import map is the same in each view, so that the policy can have its hash.
 */
export type Policy = 'strict-dynamic' | 'self'
