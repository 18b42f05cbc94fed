/** What many runs of one thing came to. */
export interface Summary {
  runs: number
  median: number
  min: number
  max: number
}

/** One thing compared with another that was measured in the same rounds. */
export interface Ratio {
  /** Median of the one by the median of the other. */
  value: number
  /** Where the value lies with 95 % confidence. */
  low: number
  high: number
  /** Of the one that ran less often. */
  runs: number
}

/** A ratio and its interval, for people. */
export const formatRatio = ({ value, low, high, runs }: Ratio, digits = 2): string =>
  value.toFixed(digits) + (runs < enough ? '' : ` (${low.toFixed(2)}-${high.toFixed(2)})`)

/** The middle value; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** Sums runs up; undefined when there is none. */
export function summarize(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined
  return {
    runs: values.length,
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
  }
}

const resamples = 2000

/** Ratio of medians, with a percentile bootstrap interval: nothing is known of how such times are spread. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const random = createRandom()
  const draw = (values: readonly number[]) =>
    median(values.map(() => values[Math.floor(random() * values.length)]!))
  const ratios = Array.from({ length: resamples }, () => draw(ours) / draw(theirs))
  ratios.sort((a, b) => a - b)
  return {
    value: median(ours) / median(theirs),
    low: ratios[Math.floor(resamples * 0.025)]!,
    high: ratios[Math.ceil(resamples * 0.975) - 1]!,
    runs: Math.min(ours.length, theirs.length),
  }
}

/** Below this many runs an interval means nothing. */
const enough = 5

/** How a ratio stands to what it should not exceed; "unclear" when the noise is larger than the distance. */
export function judge({ low, high, runs }: Ratio, target: number): string {
  if (runs < enough) return 'too few runs'
  if (high <= target) return 'met'
  return low > target ? 'missed' : 'unclear'
}

/** Mulberry32 from a fixed seed: the same runs give the same interval. */
export function createRandom(seed = 1): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
