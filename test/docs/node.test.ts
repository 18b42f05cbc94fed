import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { writeFiles } from '../support/fixture.ts'
import { blocksOf, readDocument, sectionOf } from '../support/markdown.ts'
import { copyApp, createApp, lazy, runScript, succeed } from '../support/readme-app.ts'
import { tamper } from '../support/server-app.ts'

// The commands and files of docs/node.md, followed in an app of one's own that has this package installed. Its folders
// and its key stand in the place of those of the page.

const page = readDocument('docs/node.md')
const [commands] = blocksOf(sectionOf(page, 'Sign and start'), 'sh')
const [shown] = blocksOf(sectionOf(page, 'Sign and start'), 'text')
const [configuration] = blocksOf(sectionOf(page, 'What it is told'), 'json')
const [boot] = blocksOf(sectionOf(page, 'In code'), 'js')
const [startWithBoot] = blocksOf(sectionOf(page, 'In code'), 'sh')
const [sign, start] = commands!.split('\n')

const app = lazy(async () => {
  const folder = await createApp()
  await writeFiles(folder, {
    'dist/server.js': `import { word } from './word.js'\nconsole.log(word)\n`,
    'dist/word.js': `export const word = 'started'\n`,
    'dist/package.json': '{"type":"module"}',
  })
  succeed(`${sign}\nmv release.pem.pub release.pub`, folder)
  return folder
})

/** A text of the page, with an app's own folder in the place of those of an owner of a shop. */
const inFolder = (text: string, folder: string): string =>
  text.replaceAll('/etc/shop/', `${folder}/`).replaceAll('/srv/shop/', `${folder}/`)

/** Runs it as it was signed, and changed. */
function startsUnlessChanged(command: string, folder: string): void {
  const script = inFolder(command, folder)
  assert.is(succeed(script, folder), 'started\n')
  const restore = tamper(join(folder, 'dist/server.js'))
  const { status, stdout, stderr } = runScript(script, folder)
  restore()
  assert.is(status, 1)
  assert.is(stdout, '')
  assert.is(withoutWarnings(stderr), shown)
}

/** Node 20 tells of its own hooks. */
const withoutWarnings = (stderr: string): string =>
  stderr.replace(/^\(.*Warning: .*\n|^\(Use `\w+ --trace-.*\n/gm, '')

test('a folder is signed and started, and refused as the page says', async () => {
  startsUnlessChanged(start!, copyApp(await app()))
})

test('the configuration names two roots, one of them through a link', async () => {
  const folder = copyApp(await app())
  await writeFiles(folder, {
    'signedimp.json': configuration!,
    'plugins/cart/main.js': `console.log('cart')\n`,
  })
  symlinkSync('dist', join(folder, 'current'))
  succeed(
    `signedimp keygen cart.pem && mv cart.pem.pub cart.pub
signedimp sign plugins/cart --key cart.pem --name cart`,
    folder,
  )
  const command = 'SIGNEDIMP_CONFIG=signedimp.json node --import signedimp/node current/server.js'
  startsUnlessChanged(command, folder)
  tamper(join(folder, 'plugins/cart/signedimp-manifest.txt'))
  assert.match(runScript(command, folder).stderr, 'ERR_SIGNEDIMP_SIGNATURE')
})

test('a file that is loaded first says the same', async () => {
  const folder = copyApp(await app())
  const key = readFileSync(join(folder, 'release.pub'), 'utf8').replace(/-----.*-----|\n/g, '')
  const text = inFolder(boot!, folder).replace('MCowBQYDK2VwAyEA…', key)
  assert.match(text, key)
  await writeFiles(folder, { 'boot.mjs': text })
  symlinkSync('dist', join(folder, 'current'))
  startsUnlessChanged(startWithBoot!, folder)
})

test.run()
