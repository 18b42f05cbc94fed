/** Says what is going on, to the person who waits and not into the results. */
export function say(what: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${what}` : `${what}\n`)
}

/** Ends what {@link say} has said. */
export function sayNoMore(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}

/** The same things, starting with another one each round: none is always the first. */
export const rotate = <T>(things: readonly T[], round: number): T[] => {
  const at = round % things.length
  return [...things.slice(at), ...things.slice(0, at)]
}

/** Whether so many seconds are over. */
export function deadline(seconds: number): () => boolean {
  const end = performance.now() + seconds * 1000
  return () => performance.now() > end
}

/** Shares time out by weight; who takes less than its share leaves more to the rest. @param parts the sum of all weights */
export function shareTime(seconds: number, parts: number): (weight: number) => () => boolean {
  const end = performance.now() + seconds * 1000
  let left = parts
  return (weight) => {
    const isLate = deadline((((end - performance.now()) / 1000) * weight) / left)
    left -= weight
    return isLate
  }
}
