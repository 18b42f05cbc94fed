import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attackList } from './support/attack-list.ts'
import { countsOf, rowsOf, tableOf } from './support/attack-results.ts'
import type { AttackRun } from './support/attack.ts'
import { root, testFiles } from './support/files.ts'
import { Report } from './support/report.ts'
import { endOf, runFiles, runStages, stopOnInterrupt, wasInterrupted } from './support/run-all.ts'
import { npmStage, provisionStage } from './support/stages.ts'

// Every attack, in every variant and engine, and the table of what became of them:
// node --import tsx test/attacks.ts [part of a file's path …]
const patterns = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'signedimp-attacks-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const log = join(folder, 'runs.jsonl')
const table = join(root, 'test/attacks/RESULTS.md')

stopOnInterrupt()
const report = new Report()
await runStages(report, [
  ['browsers', () => provisionStage('browsers')],
  ['build', () => npmStage('build')],
])
await runFiles(report, attackFiles(), { SIGNEDIMP_ATTACK_LOG: log, SIGNEDIMP_FULL: '1' })
const rows = rowsOf(attackList(), readLog())
const whole = patterns.length === 0 && !process.env.SIGNEDIMP_ENGINES && !wasInterrupted()
if (whole) writeFileSync(table, tableOf(rows))
else console.log('The table is left as it is: this run did not cover all files and engines.')
for (const row of rows) {
  if (row.state === 'failed') console.log(`attack ${row.number} (${row.where}): ${row.outcome}`)
}
const { held, failed, 'not run': missing } = countsOf(rows)
const code = endOf(report)
console.log(`${rows.length} attacks: ${held} held, ${failed} failed, ${missing} not run`)
process.exit(code || (failed > 0 ? 1 : 0))

function attackFiles() {
  const all = testFiles().filter((file) => file.group === 'attacks')
  return all.filter(
    ({ path }) => patterns.length === 0 || patterns.some((part) => path.includes(part)),
  )
}

function readLog(): AttackRun[] {
  if (!existsSync(log)) return []
  const lines = readFileSync(log, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as AttackRun)
}
