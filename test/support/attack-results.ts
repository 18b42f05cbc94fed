import type { AttackRun } from './attack.ts'

/** What became of one attack everywhere: a row of the table. */
export interface AttackRow {
  number: number
  words: string
  state: 'held' | 'failed' | 'not run'
  outcome: string
  where: string
  variants: number
  runs: number
}

/** One row for each attack of the list; one without a test, or that ran nowhere, is `not run`. */
export function rowsOf(list: Map<number, string>, log: AttackRun[]): AttackRow[] {
  const strangers = log.filter((run) => !list.has(run.number))
  if (strangers.length > 0) throw new Error(`attacks.md has no number ${strangers[0]!.number}`)
  const runs = lastOfEach(log)
  return [...list].map(([number, words]) =>
    rowOf(
      number,
      words,
      runs.filter((run) => run.number === number),
    ),
  )
}

/** A run that was planned and has no end has failed. */
function lastOfEach(log: AttackRun[]): AttackRun[] {
  const last = new Map(log.map((run) => [run.id, run]))
  return [...last.values()].map((run) =>
    run.outcome === 'planned' ? { ...run, outcome: 'failed: did not end' } : run,
  )
}

function rowOf(number: number, words: string, runs: AttackRun[]): AttackRow {
  const ended = runs.filter((run) => !run.outcome.startsWith('not run'))
  const failed = ended.filter((run) => run.outcome.startsWith('failed'))
  return {
    number,
    words,
    state: failed.length > 0 ? 'failed' : ended.length > 0 ? 'held' : 'not run',
    outcome: outcomeOf(failed.length > 0 ? failed : runs),
    where: distinct(ended.map((run) => run.where)).join(', '),
    variants: distinct(ended.map((run) => `${run.title} ${run.variant}`)).length,
    runs: ended.length,
  }
}

function outcomeOf(runs: AttackRun[]): string {
  const words = runs.map(({ outcome, where }) =>
    outcome.startsWith('not run') ? `${outcome} (${where})` : outcome,
  )
  return distinct(words).join('; ') || 'not run'
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts)].sort()
}

/** How many attacks are in each state. */
export function countsOf(rows: AttackRow[]): Record<AttackRow['state'], number> {
  const count = (state: AttackRow['state']) => rows.filter((row) => row.state === state).length
  return { held: count('held'), failed: count('failed'), 'not run': count('not run') }
}

/** The table as Markdown. */
export function tableOf(rows: AttackRow[]): string {
  const { held, failed, 'not run': missing } = countsOf(rows)
  const lines = rows.map((row) => {
    const outcome = row.state === 'failed' ? `**${row.outcome}**` : row.outcome
    const cells = [row.number, row.words, outcome, row.where, row.runs && row.variants, row.runs]
    return `| ${cells.map((cell) => clean(String(cell))).join(' | ')} |`
  })
  return `# Attacks: results

Written by \`npm run attacks\`, which runs every variant in every engine; do not edit. The numbers are those of
[attacks.md](attacks.md). *Refused* names the error; a *documented limit* is out of scope and shown to be as described;
*not run* is not a pass.

${rows.length} attacks: ${held} held, ${failed} failed, ${missing} not run.

| # | attack | outcome | where | variants | runs |
| --: | --- | --- | --- | --: | --: |
${lines.join('\n')}
`
}

/** No cell may end its column, or hold what differs from run to run and from machine to machine. */
function clean(text: string): string {
  return text
    .replaceAll(process.cwd(), '.')
    .replaceAll(/127\.0\.0\.1:\d+|localhost:\d+/g, 'host')
    .replaceAll(/\s+/g, ' ')
    .replaceAll('|', '\\|')
}
