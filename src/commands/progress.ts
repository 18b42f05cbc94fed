import type { Progress } from '../tree/hash.js'

/** What is over sooner needs no progress. */
const patience = 1000
const interval = 100
const width = 30

/** Runs work on files, and shows on a terminal how far it is when it takes long. */
export async function withProgress<T>(
  work: (progress: Progress | undefined) => Promise<T>,
  verb = 'hashed',
): Promise<T> {
  const { stderr } = process
  if (!stderr.isTTY) return work(undefined)
  let next = Date.now() + patience
  let shown = false
  const progress: Progress = (done, of) => {
    if (Date.now() < next) return
    next = Date.now() + interval
    shown = true
    stderr.write(`\r\x1b[K${bar(done / of)} ${done} of ${of} files ${verb}`)
  }
  try {
    return await work(progress)
  } finally {
    if (shown) stderr.write('\r\x1b[K')
  }
}

const bar = (share: number): string => `[${'#'.repeat(Math.floor(share * width)).padEnd(width)}]`
