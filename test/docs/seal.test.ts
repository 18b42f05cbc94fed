import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { app } from '../seal/sealed.ts'
import { writeFiles } from '../support/fixture.ts'
import { allBlocks, blocksOf, headingsOf, readDocument, sectionOf } from '../support/markdown.ts'
import { messagesThrown, textsIn } from '../support/messages.ts'
import { scratchFolder } from '../support/processes.ts'
import { copyApp, lazy, runScript, shapeOf, succeed } from '../support/readme-app.ts'
import { contentsOf } from '../tree/folder.ts'

// Every example of docs/seal.md, followed.

const page = readDocument('docs/seal.md')

/** A folder with the app, built, and a key. */
const folder = lazy(async () => {
  const cwd = scratchFolder()
  const built = Object.entries(app).map(([path, text]) => [`dist/${path}`, text])
  await writeFiles(cwd, { 'package.json': '{"name":"shop"}', ...Object.fromEntries(built) })
  succeed('signedimp keygen release.pem --algorithm ecdsa-p256', cwd)
  return cwd
})

test('the commands seal and verify, and unseal', async () => {
  const cwd = copyApp(await folder())
  const before = contentsOf(cwd)
  const use = sectionOf(page, 'Use it')
  const { status, stderr } = runScript(blocksOf(use, 'sh')[0]!, cwd)
  assert.is(status, 0, stderr)
  assert.is(stderr.split('\n')[0], blocksOf(use, 'text')[0]!.trim())
  succeed(blocksOf(sectionOf(page, 'Taking it back'), 'sh')[0]!, cwd)
  assert.equal(contentsOf(cwd), before)
})

/** Commands, and what the last one of them says. */
const examples = headingsOf(sectionOf(page, 'What is refused'), 3).flatMap(([title, section]) => {
  const blocks = allBlocks(section)
  return blocks.flatMap(({ language, code }, at) =>
    language === 'text' ? [{ title, script: blocks[at - 1]!.code, text: code.trim() }] : [],
  )
})

for (const { title, script, text } of examples)
  test(`refused as the page says: ${title}, ${text.slice(0, 60)}`, async () => {
    const { status, stderr } = runScript(script, copyApp(await folder()))
    assert.is(status, 1, stderr)
    assert.ok(shapeOf(stderr).includes(`signedimp: ${shapeOf(text)}`), stderr)
  })

test('every message that a seal can give has an example', () => {
  const thrown = [
    ...messagesThrown(['src/seal', 'src/emit/own-files.ts'], 'SignedImpError'),
    ...messagesThrown(['src/seal'], 'reason'),
    ...textsIn('src/seal', /\brefuse\((?:\s*[\w.]+,)?\s*/g),
  ]
  assert.ok(thrown.length > 12, `${thrown.length}`)
  const missing = thrown.filter(({ pattern }) => !examples.some(({ text }) => pattern.test(text)))
  assert.equal(
    missing.map(({ message }) => message),
    [],
  )
})

test.run()
