/** Starts the loader hooks of Node 20, and tells them of roots that come later. */
import type { RegisterOptions } from 'node:module'
import type { MessagePort } from 'node:worker_threads'
import { workerThreads } from './builtins.js'
import type { Change, Judge } from './judge.js'
import type { ThreadData } from './thread.js'

/** Text of `thread.ts` as one module, which the build puts here: a bootstrap in one file has no other beside it. */
declare const __THREAD__: string

/** Of `node:module`, as it was at the start. */
export type Register<Data = ThreadData> = (url: string, options: RegisterOptions<Data>) => void

/**
 * Installs the hooks, with what the roots are now.
 * @returns tells the hooks of a change: it is over when they have made it
 */
export function installOffThread(
  register: Register,
  judge: Judge,
  preload: string,
): (change: Change) => Promise<void> {
  const { port1, port2: port } = new workerThreads.MessageChannel()
  register(`data:text/javascript,${encodeURIComponent(__THREAD__)}`, {
    parentURL: 'data:',
    data: { judge, preload, port },
    transferList: [port],
  })
  port1.unref()
  return (change) => tell(port1, change)
}

const tell = (port: MessagePort, change: Change): Promise<void> =>
  new Promise((settle) => {
    port.ref()
    port.once('message', () => {
      port.unref()
      settle()
    })
    port.postMessage(change)
  })
