const types = ['readystatechange', 'DOMContentLoaded', 'load', 'pageshow'] as const

/**
 * Holds the document's milestones back until the app has started, so that listeners which it registers while it
 * first evaluates hear them, as those of a module script in the HTML do (HTML, "The end").
 * @returns lets them go, in order; `document.readyState` stays "interactive" until then
 */
export function holdMilestones(): () => void {
  const held: [EventTarget, Event][] = []
  const hold = (event: Event) => {
    if (event.type === types[0] && document.readyState === 'interactive') return
    event.stopImmediatePropagation()
    // `load` and `pageshow` have the window alone in their path, though they name the document as their target.
    held.push([event.eventPhase > 1 ? window : event.target!, event])
    if (event.type === types[0])
      Object.defineProperty(document, 'readyState', {
        configurable: true,
        get: () => 'interactive',
      })
  }
  for (const type of types) addEventListener(type, hold, true)
  return () => {
    for (const type of types) removeEventListener(type, hold, true)
    for (const [target, event] of held) {
      if (event.type === types[0]) delete (document as { readyState?: unknown }).readyState
      target.dispatchEvent(new (event.constructor as typeof Event)(event.type, event))
    }
  }
}

/** Settles once the parser has read the whole document. */
export const parsed = async (): Promise<unknown> =>
  document.readyState === 'loading' &&
  new Promise((settle) => addEventListener(types[0], settle, true))
