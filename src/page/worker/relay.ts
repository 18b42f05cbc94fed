/** How workers tell their page what they refuse: on a channel whose name nobody else knows. */
import { SignedImpError, type SignedImpCode } from '../../errors.js'
import { announce } from '../refuse.js'

interface Told {
  code: SignedImpCode
  path: string | undefined
  reason: string
}

let heard: BroadcastChannel | undefined

/** Listens, from the first call on. */
export function hearRefusals(channel: string, tell: (refused: SignedImpError) => unknown): void {
  if (heard) return
  heard = new BroadcastChannel(channel)
  heard.onmessage = ({ data }: MessageEvent<Told>) => {
    const { code, path, reason } = data
    tell(new SignedImpError(code, reason, { path }))
  }
}

/** Tells the worker itself, by the event that pages know, and the page; of each refusal once. */
export function createRelay(channel: string): (refused: SignedImpError) => void {
  const told = new WeakSet<SignedImpError>()
  return (refused) => {
    if (told.has(refused)) return
    told.add(refused)
    announce(refused)
    const { code, path, reason } = refused
    const sender = new BroadcastChannel(channel)
    sender.postMessage({ code, path, reason } satisfies Told)
    sender.close()
  }
}
