/** Starts the loader hooks of Node 20, and adds roots to them later. */
import type { RegisterOptions } from 'node:module'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Judge } from './judge.js'
import type { Root } from './root.js'
import type { ThreadData } from './thread.js'

/** Text of `thread.ts` as one module, which the build puts here: a bootstrap in one file has no other beside it. */
declare const __THREAD__: string

/** Of `node:module`, as it was at the start. */
export type Register = (url: string, options: RegisterOptions<ThreadData>) => void

/**
 * Installs the hooks, with what the roots are now.
 * @returns adds a root: it is over when the hooks know it
 */
export function installOffThread(
  register: Register,
  judge: Judge,
  preload: string,
): (root: Root) => Promise<void> {
  const { port1, port2: port } = new MessageChannel()
  register(`data:text/javascript,${encodeURIComponent(__THREAD__)}`, {
    parentURL: 'data:',
    data: { judge, preload, port },
    transferList: [port],
  })
  port1.unref()
  return (root) => tell(port1, root)
}

const tell = (port: MessagePort, root: Root): Promise<void> =>
  new Promise((settle) => {
    port.ref()
    port.once('message', () => {
      port.unref()
      settle()
    })
    port.postMessage(root)
  })
