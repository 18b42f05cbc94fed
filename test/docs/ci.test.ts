import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOf, readDocument, sectionOf } from '../support/markdown.ts'
import { playGitHub, playGitLab, type JobRun } from '../support/pipeline.ts'
import { copyApp, createApp, lazy, runScript, succeed } from '../support/readme-app.ts'

// The recipes of docs/ci.md, followed.

const page = readDocument('docs/ci.md')
const app = lazy(async () => {
  const folder = await createApp()
  succeed('signedimp keygen second.pem --algorithm ecdsa-p256', folder)
  return folder
})

/** An app with the configuration of a section. */
async function appOf(section: string): Promise<string> {
  const folder = copyApp(await app())
  const [code] = blocksOf(section, 'js')
  const config = code!.includes('export default')
    ? code!
    : `import signedImp from 'signedimp'\nexport default { plugins: [${code}] }`
  writeFileSync(join(folder, 'vite.config.js'), config)
  return folder
}

const keyText = 'export RELEASE_KEY="$(cat release.pem)"\n'

const textOf = (folder: string, path: string) => readFileSync(join(folder, path), 'utf8')

test('the recipe for GitHub Actions signs with a key that is a text', async () => {
  const section = sectionOf(page, 'GitHub Actions')
  const folder = await appOf(section)
  const secrets = { RELEASE_KEY: textOf(folder, 'release.pem'), RELEASE_PASSWORD: 'a password' }
  const [workflow] = blocksOf(section, 'yaml')
  const values = { 'github.run_number': '7' }
  const { release } = playGitHub(workflow!, folder, { secrets, values })
  assert.is(release!.steps.length, 3)
  assert.match(textOf(release!.folder, 'dist/signedimp-manifest.txt'), /^# build: 7$/m)
  const unset = runScript('export RELEASE_NUMBER=7\nnpx vite build', folder)
  assert.match(unset.stderr, 'is an environment variable not set?')
})

test('the recipe for GitLab CI signs with a key and a password that are files', async () => {
  const section = sectionOf(page, 'GitLab CI')
  const folder = await appOf(section)
  const [pipeline] = blocksOf(section, 'yaml')
  const { release } = playGitLab(pipeline!, folder, { secrets: filesOf(folder) })
  assert.ok(release!.steps[0]!.code.split('\n').length > 3)
})

/** The secrets that are files. */
const filesOf = (folder: string) => ({
  RELEASE_KEY_FILE: textOf(folder, 'release.pem'),
  SIGNEDIMP_PASSWORD_FILE: 'a password\n',
})

test('the recipe for a shell signs with a key and a password that are files', async () => {
  const folder = await appOf(sectionOf(page, 'GitLab CI'))
  const [script] = blocksOf(sectionOf(page, 'A shell'), 'sh')
  const home = join(folder, 'home')
  mkdirSync(join(home, '.keys'), { recursive: true })
  renameSync(join(folder, 'release.pem'), join(home, '.keys/release.pem'))
  writeFileSync(join(home, '.keys/release.password'), 'a password\n')
  succeed(`unset SIGNEDIMP_PASSWORD\nHOME='${home}'\nnpm() { true; }\n${script}`, folder)
})

test('the script for esbuild signs with a key that is a text', async () => {
  const section = sectionOf(page, 'esbuild')
  const folder = copyApp(await app())
  const [script] = blocksOf(section, 'js')
  const [commands] = blocksOf(section, 'sh')
  writeFileSync(join(folder, 'build.js'), script!)
  succeed(`${keyText}export RELEASE_NUMBER=7\n${commands}`, folder)
  const manifest = readFileSync(join(folder, 'dist/signedimp-manifest.txt'), 'utf8')
  assert.match(manifest, /^# build: 7$/m)
  const unset = runScript(`export RELEASE_NUMBER=7\n${commands}`, folder)
  assert.match(unset.stderr, 'is an environment variable not set?')
})

test('a build without secrets says that it is not signed, and signs where there is a key', async () => {
  const folder = await appOf(sectionOf(page, 'Builds without secrets: forks, pull requests'))
  const { status, stderr } = runScript('vite build', folder)
  assert.is(status, 0)
  assert.match(stderr, 'this output is NOT signed')
  const verify = 'signedimp verify dist --key release.pem.pub --name shop'
  assert.is(runScript(verify, folder).status, 1)
  succeed(`${keyText}vite build\n${verify}`, folder)
})

test('another job signs what one has built', async () => {
  const [sign, write] = blocksOf(sectionOf(page, 'Build in one job, sign in another'), 'sh')
  const folder = copyApp(await app())
  succeed('vite build', folder)
  writeFileSync(join(folder, 'dist/robots.txt'), 'hello')
  succeed(sign!, folder)
  writeFileSync(join(folder, 'dist/robots.txt'), 'hello again')
  const other = copyApp(folder)
  succeed(`mkdir job\nmv dist job\n${keyText}cd job\n${write}`, other)
  succeed('signedimp verify job/dist --key release.pem.pub --name shop', other)
})

const alone = sectionOf(page, 'A signer that gets the manifests only')
const workflows = blocksOf(alone, 'yaml')

/** An app that builds with the public key, and has the manifest of a release of build 6. */
async function appToSend(): Promise<{ folder: string; key: string }> {
  const folder = await appOf(alone)
  succeed('RELEASE_NUMBER=6 vite build\nsignedimp sign dist --key release.pem', folder)
  cpSync(join(folder, 'dist/signedimp-manifest.txt'), join(folder, 'last.txt'))
  rmSync(join(folder, 'dist'), { recursive: true })
  writeFileSync(join(folder, 'src/cart.js'), "export const cart = 'open now'\n")
  const key = textOf(folder, 'release.pem')
  // No checkout has it.
  rmSync(join(folder, 'release.pem'))
  return { folder, key }
}

/** That the job that signs saw no file, nor the others the key, and that what came of it is signed. */
function checkJobs({ build, changes, sign, deploy }: Record<string, JobRun>, key: string): void {
  assert.match(
    (changes ?? build)!.steps.at(-1)!.stdout,
    /^build +6 -> 7\n[^]*\d+ added, \d+ removed/m,
  )
  assert.match(sign!.steps.at(-1)!.stderr, /last build +6\n[^]*changed +index\.html\n/)
  assert.not.ok(existsSync(join(sign!.folder, 'dist/index.html')))
  assert.not.ok(existsSync(join(sign!.folder, 'release.pem')))
  const [line] = key.split('\n').slice(3)
  for (const { folder } of [build!, deploy!])
    for (const { file } of filesBelow(folder)) assert.not.match(readFileSync(file, 'utf8'), line!)
  assert.match(deploy!.steps.at(-1)!.stdout, /^build +7$/m)
}

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => ({ file: join(entry.parentPath, entry.name) }))

test('by the recipe for GitHub Actions, a job signs that gets the manifests only', async () => {
  const { folder, key } = await appToSend()
  const secrets = { RELEASE_KEY: key, RELEASE_PASSWORD: 'a password' }
  checkJobs(
    playGitHub(workflows[0]!, folder, { secrets, values: { 'github.run_number': '7' } }),
    key,
  )
})

test('by the recipe for GitLab CI, a job signs that gets the manifests only', async () => {
  const { folder, key } = await appToSend()
  const secrets = { RELEASE_KEY_FILE: key, SIGNEDIMP_PASSWORD_FILE: 'a password\n' }
  checkJobs(playGitLab(workflows[1]!, folder, { secrets, values: { CI_PIPELINE_IID: '7' } }), key)
})

test('such a job refuses a build that does not rise', async () => {
  const { folder, key } = await appToSend()
  const secrets = { RELEASE_KEY: key, RELEASE_PASSWORD: 'a password' }
  const values = { 'github.run_number': '6' }
  assert.throws(
    () => playGitHub(workflows[0]!, folder, { secrets, values }),
    /^sign: [^]*ERR_SIGNEDIMP_RELEASE is of build 6, which does not rise/,
  )
})

test('two people sign', async () => {
  const section = sectionOf(page, 'Two people sign')
  const folder = await appOf(section)
  succeed('vite build', folder)
  const [script] = blocksOf(section, 'sh')
  const [, verify] = script!.trim().split('\n')
  assert.is(runScript(verify!, folder).status, 1)
  succeed(script!, folder)
})

test('the time of the commit is the build', async () => {
  const [script] = blocksOf(sectionOf(page, 'Build numbers'), 'sh')
  const folder = copyApp(await app())
  succeed(`git() { echo 1700000000; }\n${script}`, folder)
  const manifest = readFileSync(join(folder, 'dist/signedimp-manifest.txt'), 'utf8')
  assert.match(manifest, /^# build: 1700000000$/m)
})

test.run()
