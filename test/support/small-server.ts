import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server of a test's own making, on the loopback interface. */
export interface SmallServer {
  /** With its last slash. */
  url: string
  /** The paths that were asked for, in order. */
  asked: string[]
  close(): Promise<void>
}

/** Serves what `answer` gives; it may hold an answer back. */
export async function serveBy(
  answer: (path: string, response: ServerResponse, request: IncomingMessage) => void,
): Promise<SmallServer> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url!)
    asked.push(path)
    answer(path, response, request)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
}
