import { parseArgs } from 'node:util'
import { testFiles, type TestFile } from './support/files.ts'
import { Report } from './support/report.ts'
import { endOf, runFiles, runStages, stopOnInterrupt } from './support/run-all.ts'
import { npmStage, provisionStage } from './support/stages.ts'
import type { Result } from './support/run-file.ts'

// The one test command: node --import tsx test/run.ts [--quick] [part of a file's path …]
const { values, positionals: patterns } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const { quick } = values

stopOnInterrupt()
const report = new Report()
const files = testFiles().filter(isWanted)
if (files.length === 0) throw new Error(`no test file has ${patterns.join(' or ')} in its path`)
await Promise.all(stages().map((row) => runStages(report, row)))
await runFiles(report, files, quick ? { SIGNEDIMP_QUICK: '1', SIGNEDIMP_ENGINES: 'none' } : {})
process.exit(endOf(report))

function isWanted(file: TestFile): boolean {
  const matches = patterns.length === 0 || patterns.some((pattern) => file.path.includes(pattern))
  return matches && (file.quick || !quick)
}

type Stage = [string, () => Promise<Result>]

/**
 * Tests need the browsers and the build; what is checked besides is left out when files are named. To install waits for
 * others and to build does not, so that they go side by side.
 */
function stages(): Stage[][] {
  const scripts = patterns.length === 0 ? ['build', 'typecheck', 'lint'] : ['build']
  const builds = scripts.map((script): Stage => [script, () => npmStage(script)])
  const needs = files.some(({ group }) => group === 'runtimes')
    ? (['browsers', 'runtimes'] as const)
    : (['browsers'] as const)
  const provisions = needs.map((name): Stage => [name, () => provisionStage(name)])
  return quick ? [builds] : [provisions, builds]
}
