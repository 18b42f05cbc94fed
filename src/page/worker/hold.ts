const types = ['message', 'messageerror']

/**
 * Holds messages back while a worker's script is still on its way, as the engine does with one that it loads itself.
 * @returns lets them go, in order, and later ones behind them; each in a task of its own
 */
export function holdMessages(): () => void {
  const held: MessageEvent[] = []
  let isReplay = false
  let isGoing = false
  const hold = (event: Event) => {
    if (isReplay) return
    event.stopImmediatePropagation()
    held.push(event as MessageEvent)
  }
  for (const type of types) addEventListener(type, hold)
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    const event = held.shift()
    if (held.length > 0) port2.postMessage(0)
    else {
      for (const type of types) removeEventListener(type, hold)
      port1.close()
    }
    if (!event) return
    isReplay = true
    try {
      dispatchEvent(again(event))
    } finally {
      isReplay = false
    }
  }
  return () => {
    if (!isGoing) port2.postMessage(0)
    isGoing = true
  }
}

/** A new event, for one whose way was stopped goes no further. */
const again = ({ type, data, origin, lastEventId, source, ports }: MessageEvent): MessageEvent =>
  new MessageEvent(type, { data, origin, lastEventId, source, ports: [...ports] })
