import { readFileSync } from 'node:fs'
import { neededBy, neededKeyTools, neededServers } from './binaries.ts'
import { selectedEngines } from './browsers.ts'
import { runCommand } from './command.ts'
import { runtimes, runtimesFolder } from './runtimes.ts'

/** What came of looking for what tests need. */
export interface Provisioned {
  /** Programs that are still missing. */
  missing: string[]
  /** For a person to read. */
  output: string
}

/** Installs the browsers, web servers and keepers of keys that are missing where that can be done unasked: as root on Debian. */
export async function provision(): Promise<Provisioned> {
  const missing = missingPrograms()
  if (missing.length === 0) return { missing: [], output: '' }
  const packages = [...new Set(missing.map((need) => need.debianPackage))]
  if (!canInstall())
    return { missing: missing.map((need) => need.what), output: adviceFor(packages) }
  const output = await install(packages)
  return { missing: missingPrograms().map((need) => need.what), output }
}

/** Installs the runtimes that are missing, from npm. */
export async function provisionRuntimes(): Promise<Provisioned> {
  const missing = () => runtimes().flatMap((one) => (one.missing ? [one.name] : []))
  if (missing().length === 0) return { missing: [], output: '' }
  const flags = ['--ignore-scripts', '--no-bin-links', '--no-audit', '--no-fund']
  const args = ['ci', '--prefix', runtimesFolder, ...flags]
  const { output } = await runCommand('npm', args, { timeoutMs: 5 * 60_000 })
  return { missing: missing(), output }
}

function missingPrograms() {
  return [...selectedEngines().flatMap(neededBy), ...neededServers(), ...neededKeyTools()].filter(
    (need) => need.path === undefined,
  )
}

function canInstall(): boolean {
  try {
    return process.getuid?.() === 0 && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

function adviceFor(packages: string[]): string {
  return `Browsers or other programs are missing. On Debian: apt-get install ${packages.join(' ')}
Elsewhere, install Chromium, Firefox, WebKitGTK's WebKitWebDriver, Xvfb, nginx and Apache, or name their programs in
SIGNEDIMP_CHROMIUM, SIGNEDIMP_FIREFOX, SIGNEDIMP_WEBKITDRIVER, SIGNEDIMP_NGINX and SIGNEDIMP_APACHE; and Java's keytool,
SoftHSM 2 and OpenSC's pkcs11-tool, in the path.`
}

async function install(packages: string[]): Promise<string> {
  const patience = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']
  const update = await apt([...patience, 'update'])
  if (update.code !== 0) return update.output
  const { output } = await apt([
    ...patience,
    'install',
    '--yes',
    '--no-install-recommends',
    ...packages,
  ])
  return update.output + output
}

function apt(args: string[]) {
  return runCommand('apt-get', ['-q', ...args], {
    timeoutMs: 15 * 60_000,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  })
}
