/** Plays pipelines as documents have them: each job in a folder of its own, its shell steps as they are written. */
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { copyApp, runScript, type ScriptRun } from './readme-app.ts'
import { scratchFolder } from './processes.ts'
import { parseYaml, type Yaml } from './yaml.ts'

type Map = { [key: string]: Yaml }

/** What a job left, and how its steps ended. */
export interface JobRun {
  folder: string
  steps: (ScriptRun & { code: string })[]
}

/** What a service knows. */
export interface Service {
  secrets: Record<string, string>
  /** Such as `github.run_number`. */
  values?: Record<string, string>
}

/** What needs a network: the packages are there already. */
const npm = 'npm() { test "$*" = "ci --ignore-scripts"; }\n'

/** Runs a step; what it may know is in the environment, and nothing else. */
function runStep(code: string, folder: string, env: Record<string, string>): ScriptRun {
  const known = Object.entries({ SIGNEDIMP_PASSWORD: undefined, ...env }).map(([name, value]) =>
    value === undefined ? `unset ${name}\n` : `export ${name}='${value}'\n`,
  )
  return runScript(npm + known.join('') + code, folder)
}

function check(name: string, job: JobRun): void {
  const { status, code, stdout, stderr } = job.steps.at(-1)!
  if (status !== 0) throw new Error(`${name}: ${code}\nended with ${status}: ${stdout}${stderr}`)
}

/** Plays a workflow of GitHub Actions. @param repository what a checkout gives */
export function playGitHub(
  source: string,
  repository: string,
  service: Service,
): Record<string, JobRun> {
  const artifacts = scratchFolder()
  const runs: Record<string, JobRun> = {}
  for (const [name, job] of Object.entries(
    (parseYaml(source) as Map)['jobs'] as Record<string, Map>,
  )) {
    const needed = job['needs'] as string | undefined
    if (needed !== undefined && !runs[needed]) throw new Error(`${name} needs ${needed} before`)
    const run: JobRun = (runs[name] = { folder: copyApp(repository), steps: [] })
    for (const step of job['steps'] as Map[]) {
      const {
        uses,
        run: code,
        with: given = {},
      } = step as { uses?: string; run?: string; with?: Map }
      if (uses !== undefined) act(uses, given as Record<string, string>, run.folder, artifacts)
      if (code === undefined) continue
      const env = valuesOf((step['env'] ?? {}) as Record<string, string>, service)
      const ended = runStep(code, run.folder, { ...env, RUNNER_TEMP: scratchFolder() })
      run.steps.push({ code, ...ended })
      check(name, run)
    }
  }
  return runs
}

/** What stands for a secret or a value of the service. */
const valuesOf = (env: Record<string, string>, { secrets, values = {} }: Service) =>
  Object.fromEntries(
    Object.entries(env).map(([name, text]) => {
      const [, what] = /^\$\{\{ (\S+) \}\}$/.exec(text)!
      const value = what!.startsWith('secrets.') ? secrets[what!.slice(8)] : values[what!]
      if (value === undefined) throw new Error(`nobody knows ${what}`)
      return [name, value]
    }),
  )

function act(uses: string, given: Record<string, string>, folder: string, artifacts: string): void {
  const [, action] = /^actions\/([\w-]+)@v\d+$/.exec(uses)!
  const kept = join(artifacts, given['name'] ?? '')
  const path = join(folder, given['path'] ?? '')
  const isHidden = (file: string) => basename(file).startsWith('.') && file !== path
  if (action === 'upload-artifact') {
    if (!existsSync(path)) throw new Error(`there is no ${given['path']} to keep`)
    const isWhole = given['include-hidden-files'] === 'true'
    mkdirSync(kept)
    const isFile = basename(path).includes('.')
    cpSync(path, isFile ? join(kept, basename(path)) : kept, {
      recursive: true,
      filter: (file) => isWhole || !isHidden(file),
    })
  } else if (action === 'download-artifact') cpSync(kept, path, { recursive: true })
  else if (!['checkout', 'setup-node'].includes(action!)) throw new Error(`cannot play ${uses}`)
}

/**
 * Plays a pipeline of GitLab CI: each job gets what those before it kept.
 * @param service its secrets are files, which the jobs of an environment get, or all jobs where none has one
 */
export function playGitLab(
  source: string,
  repository: string,
  service: Service,
): Record<string, JobRun> {
  const jobs = Object.entries(parseYaml(source) as Record<string, Map>).filter(
    ([, job]) => job['script'],
  )
  const hasScope = jobs.some(([, job]) => job['environment'])
  const files = scratchFolder()
  for (const [name, text] of Object.entries(service.secrets)) writeFileSync(join(files, name), text)
  const secrets = Object.keys(service.secrets).map((name) => [name, join(files, name)])
  const kept = new Map<string, string>()
  const runs: Record<string, JobRun> = {}
  for (const [name, job] of jobs) {
    const run: JobRun = (runs[name] = { folder: copyApp(repository), steps: [] })
    for (const before of (job['dependencies'] as string[] | undefined) ?? kept.keys())
      cpSync(kept.get(before)!, run.folder, { recursive: true })
    const code = `${(job['script'] as string[]).join('\n')}\n`
    const known = job['environment'] || !hasScope ? Object.fromEntries(secrets) : {}
    run.steps.push({ code, ...runStep(code, run.folder, { ...service.values, ...known }) })
    check(name, run)
    kept.set(name, scratchFolder())
    for (const path of (job['artifacts'] as { paths?: string[] } | undefined)?.paths ?? [])
      cpSync(join(run.folder, path), join(kept.get(name)!, path), { recursive: true })
  }
  return runs
}
