import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backendList } from '../../src/manifest/names.ts'
import { pageTags } from '../../src/tree/page-tags.ts'
import { writeFiles } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'

const isTypeError = (message: string) => (error: Error) =>
  error instanceof TypeError && error.message === message

const folder = scratchFolder()
const listed = {
  'src/main.js': {
    head: '<script>',
    csp: "script-src 'sha256-a'",
    withNonce: {
      head: '<link nonce="SIGNEDIMP_NONCE"><script nonce="SIGNEDIMP_NONCE">',
      csp: "script-src 'nonce-SIGNEDIMP_NONCE'",
    },
  },
}
await writeFiles(folder, { [backendList]: JSON.stringify(listed) })

test('without a nonce, what the list has', () => {
  const wanted = { head: '<script>', csp: "script-src 'sha256-a'" }
  assert.equal(pageTags(folder, 'src/main.js'), wanted)
  assert.equal(pageTags(pathToFileURL(folder), 'src/main.js', { nonce: undefined }), wanted)
})

test('with a nonce, it stands in each tag and in the policy', () => {
  assert.equal(pageTags(folder, 'src/main.js', { nonce: 'a+/9==' }), {
    head: '<link nonce="a+/9=="><script nonce="a+/9==">',
    csp: "script-src 'nonce-a+/9=='",
  })
})

test('an entry that is not there is an error that names those that are', () => {
  for (const entry of ['src/none.js', 'toString'])
    assert.throws(
      () => pageTags(folder, entry),
      isTypeError(`pageTags: "entry" must be one of src/main.js; it is '${entry}'`),
    )
})

// What a template makes of a variable that is not set would be a nonce that everybody knows.
for (const nonce of [
  '',
  '"',
  "a'b",
  'a b',
  '$&',
  'SIGNEDIMP_NONCE',
  null,
  1,
  true,
  ['a'],
] as never[])
  test(`a nonce that is none is an error: ${JSON.stringify(nonce)}`, () => {
    assert.throws(
      () => pageTags(folder, 'src/main.js', { nonce }),
      isTypeError('pageTags: "nonce" must be a text in base64, another one for each view'),
    )
  })

test('a folder without a list is an error', () => {
  assert.throws(() => pageTags(scratchFolder(), 'src/main.js'), /ENOENT/)
})

for (const [title, list] of Object.entries({
  'no object': 'null',
  'no page': '{"src/main.js":null}',
  'no tags': '{"src/main.js":{"csp":"","withNonce":{"head":"","csp":""}}}',
  'none with a nonce': '{"src/main.js":{"head":"","csp":""}}',
}))
  test(`a list that is another one is an error: ${title}`, async () => {
    const other = scratchFolder()
    await writeFiles(other, { [backendList]: list })
    const is = (error: Error) =>
      error instanceof TypeError && error.message.startsWith('pageTags: ')
    assert.throws(() => pageTags(other, 'src/main.js'), is)
  })

test.run()
