import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOf, readDocument, sectionOf } from '../support/markdown.ts'
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

/** The commands of a pipeline that are ours and Vite's, in order. */
function commandsOf(section: string): string {
  const [code] = blocksOf(section, 'yaml')
  const commands = [...code!.matchAll(/^ +- (?:run: )?(npx .*)$/gm)].map(([, command]) => command)
  assert.is(commands.length, 2)
  return `${commands.join('\n')}\n`
}

const keyText = 'export RELEASE_KEY="$(cat release.pem)"\n'

test('the recipe for GitHub Actions signs with a key that is a text', async () => {
  const section = sectionOf(page, 'GitHub Actions')
  const folder = await appOf(section)
  succeed(`${keyText}export RELEASE_NUMBER=7\n${commandsOf(section)}`, folder)
  const manifest = readFileSync(join(folder, 'dist/signedimp-manifest.txt'), 'utf8')
  assert.match(manifest, /^# build: 7$/m)
  const unset = runScript(`export RELEASE_NUMBER=7\n${commandsOf(section)}`, folder)
  assert.match(unset.stderr, 'is an environment variable not set?')
})

test('the recipe for GitLab CI signs with a key and a password that are files', async () => {
  const section = sectionOf(page, 'GitLab CI')
  const folder = await appOf(section)
  writeFileSync(join(folder, 'password.txt'), 'a password\n')
  const files =
    'unset SIGNEDIMP_PASSWORD\nexport RELEASE_KEY_FILE="$PWD/release.pem" SIGNEDIMP_PASSWORD_FILE="$PWD/password.txt"\n'
  succeed(files + commandsOf(section), folder)
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
