import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'

/** An address of this machine that is not the loopback, so that pages from there are in no secure context. */
export const outside: string | undefined = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

/** Serves a site of the loopback at {@link outside}, as long as `work` takes. */
export async function atOutside<T>(site: string, work: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(({ url = '/' }, response) => {
    // A page may still ask when the site is being closed.
    relay(new URL(url, site), response).catch(() => response.destroy())
  })
  await new Promise<void>((done) => server.listen(0, outside, done))
  try {
    return await work(`http://${outside}:${(server.address() as AddressInfo).port}/`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function relay(url: URL, response: ServerResponse): Promise<void> {
  const answer = await fetch(url)
  response.setHeader('content-type', answer.headers.get('content-type') ?? '')
  response.writeHead(answer.status).end(new Uint8Array(await answer.arrayBuffer()))
}
