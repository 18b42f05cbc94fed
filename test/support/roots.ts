/** Pages with a manager, and what it loads from elsewhere. */
import type { KeyObject } from 'node:crypto'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { loadSigner } from '../../src/keys/private.ts'
import { publicKeyPem, toTrustedKey } from '../../src/keys/public.ts'
import type { ManagerOptions, RootOptions } from '../../src/manifest/manager-options.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { serveApp, type TestSite } from './app.ts'
import { entryFiles } from './entry-app.ts'
import { root as checkout } from './files.ts'
import { writeFiles } from './fixture.ts'
import type { Page } from './page.ts'
import { scratchFolder } from './processes.ts'

/** The PEM text of a key's public half. */
export const pemOf = (key: KeyObject): string => publicKeyPem(toTrustedKey(key))

const note = `globalThis.refusals = []
addEventListener('signedimp:refusal', ({ detail }) => refusals.push(detail.code + ' ' + detail.path))
`

/** What a host page loads first, in a page that nobody signed. */
export const hostScript = `import { SignedImportManager } from '/signedimp/runtime.js'
${note}globalThis.SignedImportManager = SignedImportManager
globalThis.outcome = (work) => work.then(
  (value) => value ?? 'ok',
  ({ code, name, message, path }) => (/^ERR/.test(code) ? code.slice(14) + ' ' + path : name + ': ' + message),
)
`

/** Writes a page that nobody signed into a folder, with the package as it is published. */
export async function writeHost(): Promise<string> {
  const folder = scratchFolder()
  await writeFiles(folder, {
    'index.html': `<!doctype html><meta charset="utf-8"><script type="module" nonce="abc" src="/host.js"></script>`,
    'host.js': hostScript,
  })
  await cp(join(checkout, 'dist'), join(folder, 'signedimp'), { recursive: true })
  return folder
}

/** Serves such a page. */
export const serveHost = async (): Promise<TestSite> => serveApp(await writeHost())

/** The entries of {@link entryFiles} as esbuild emits them: split, and in an order of its own. */
export async function buildWithEsbuild(key: KeyObject, name: string): Promise<string> {
  const root = scratchFolder()
  const free = ';((name) => (globalThis.ran ??= []).push(name))('
  const files = Object.entries(entryFiles).map(([path, text]) => [
    path,
    text.replace(/^note\(/gm, free),
  ])
  await writeFiles(root, Object.fromEntries(files))
  const { build } = await import('esbuild')
  const { signedImp } = (await import(
    '../../dist/esbuild.js' as string
  )) as typeof import('../../src/esbuild.ts')
  const outdir = join(root, 'dist')
  await build({
    absWorkingDir: root,
    entryPoints: ['src/main.js', 'src/other.js'],
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir,
    write: true,
    metafile: true,
    logLevel: 'silent',
    plugins: [signedImp(key, { name }) as never],
  })
  return outdir
}

/** A folder of files that no bundler made, signed by the tools. */
export async function signFolder(
  key: KeyObject,
  name: string,
  files: Record<string, string>,
  build?: number,
): Promise<string> {
  const folder = scratchFolder()
  await writeFiles(folder, files)
  await signDirectory(folder, await loadSigner(key), { name, build })
  return folder
}

interface HostGlobals {
  SignedImportManager: typeof import('../../src/runtime.ts').SignedImportManager
  manager: import('../../src/runtime.ts').SignedImportManager
  outcome(work: Promise<unknown>): Promise<string>
  refusals: string[]
}

/** Opens a host page, and installs a manager in it. */
export async function openHost(
  page: Page,
  url: string,
  options: ManagerOptions = {},
): Promise<void> {
  await page.goto(url)
  await page.waitFor("'outcome' in globalThis")
  await page.evaluate((given) => {
    const host = globalThis as unknown as HostGlobals
    host.manager = new host.SignedImportManager(given).install()
  }, options as object)
}

/** Adds a root. @returns `ok`, or why not: `CODE path`, `TypeError: message` */
export const addRoot = (page: Page, base: string, options: RootOptions): Promise<string> =>
  page.evaluate(
    (where, given) => {
      const { manager, outcome } = globalThis as unknown as HostGlobals
      return outcome(manager.addRoot(where, given))
    },
    base,
    options as { name: string },
  )

/** Imports a module. @returns its names, or why not */
export const importNames = (page: Page, url: string): Promise<string> =>
  page.evaluate((wanted) => {
    const { manager, outcome } = globalThis as unknown as HostGlobals
    return outcome(manager.import(wanted).then((module) => Object.keys(module).join()))
  }, url)

/** The refusals that the page was told of. */
export const refusalsOf = (page: Page): Promise<string[]> =>
  page.evaluate(() => (globalThis as unknown as HostGlobals).refusals)
