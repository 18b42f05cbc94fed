import { appendFileSync } from 'node:fs'
import type { Test } from 'uvu'

/** A test that did not run, and why. */
export interface Note {
  kind: 'skipped' | 'not selected'
  title: string
  reason: string
}

/**
 * Registers a test that cannot run here: counted as skipped and named in the summary, never passed.
 * Under CI it fails, because there everything must be there.
 */
export function skip(test: Test, title: string, reason: string): void {
  if (process.env.CI === 'true') {
    test(title, () => {
      throw new Error(`cannot run: ${reason}`)
    })
    return
  }
  test.skip(title)
  note({ kind: 'skipped', title, reason })
}

/** Says that a test was left out on purpose, by a setting of this run. It is not counted at all. */
export function notSelected(title: string, reason: string): void {
  note({ kind: 'not selected', title, reason })
}

/** To the runner by a file, since uvu does not print the names of skipped tests; to a person on stderr. */
function note(entry: Note) {
  const file = process.env.SIGNEDIMP_TEST_NOTES
  if (file) appendFileSync(file, `${JSON.stringify(entry)}\n`)
  else console.error(`${entry.kind}: ${entry.title} (${entry.reason})`)
}
