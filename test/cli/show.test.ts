import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { base64, utf8 } from '../../src/crypto/bytes.ts'
import { scratchFolder } from '../support/processes.ts'
import { writeInto } from '../tree/folder.ts'
import { jsonOf, signedimp } from './run.ts'

const fingerprint = 'f'.repeat(64)
const digest = 'a'.repeat(64)
const text = `sha256\n# signedimp: 1\n# name: shop\n# build: 7\n# import: a.js\t7-13 b.js\n${digest} a.js\n${digest} b.js`

function folderWith(scheme: string) {
  const cwd = scratchFolder()
  const signature = base64(utf8(`${scheme}:nobody signed this`))
  writeInto(cwd, 'dist/signedimp-manifest.txt', `${fingerprint} ${signature}\n\n${text}`)
  return cwd
}

test('the first line says that nothing was verified, of a folder and of a file', () => {
  const cwd = folderWith('ed25519')
  const path = join('dist', 'signedimp-manifest.txt')
  for (const target of ['dist', path]) {
    const { status, stdout, stderr } = signedimp(['show', target], { cwd })
    assert.is(status, 0)
    assert.is(stderr, '')
    assert.equal(stdout.split('\n'), [
      `NOT VERIFIED: this is what ${path} says, whoever wrote it`,
      'name       shop',
      'build      7',
      'hash       sha256',
      'files      2',
      'imports    1',
      `signature  ${fingerprint} ed25519`,
      '',
    ])
  }
})

test('--files lists the files', () => {
  const cwd = folderWith('ed25519')
  const { stdout } = signedimp(['show', 'dist', '--files'], { cwd })
  assert.ok(stdout.endsWith(`\n${digest} a.js\n${digest} b.js\n`), stdout)
})

test('--json says that nothing was verified', () => {
  const cwd = folderWith('ed25519')
  const result = signedimp(['show', 'dist', '--json', '--files'], { cwd })
  assert.is(result.stderr, '')
  assert.equal(jsonOf(result), {
    verified: false,
    manifest: join('dist', 'signedimp-manifest.txt'),
    hash: 'sha256',
    name: 'shop',
    build: 7,
    files: 2,
    imports: 1,
    signatures: [{ fingerprint, scheme: 'ed25519' }],
    reportOnly: [],
    list: [
      { path: 'a.js', hash: digest },
      { path: 'b.js', hash: digest },
    ],
  })
})

test('pages that refuse nothing are named, of a folder', () => {
  const cwd = folderWith('ed25519')
  writeInto(cwd, 'dist/index.html', '<script data-mode="report-only" data-manifest="m">1</script>')
  writeInto(
    cwd,
    'dist/deep/on.html',
    '<p data-x="data-mode=report-only"><script data-manifest="m"></script>',
  )
  const { stdout } = signedimp(['show', 'dist'], { cwd })
  assert.match(stdout, /\nREPORT-ONLY +index\.html: refuses nothing\n$/)
  const { reportOnly } = jsonOf(signedimp(['show', 'dist', '--json'], { cwd }))
  assert.equal(reportOnly, ['index.html'])
  const file = signedimp(['show', 'dist/signedimp-manifest.txt', '--json'], { cwd })
  assert.is(jsonOf(file).reportOnly, undefined)
})

test('a manifest cannot play with the terminal', () => {
  const { status, stdout, stderr } = signedimp(['show', 'dist'], { cwd: folderWith('\x1b[2J') })
  assert.is(status, 1)
  assert.not.match(stdout + stderr, '\x1b')
})

test('what is no manifest is refused with its line, what is not there cannot be read', () => {
  const cwd = folderWith('ed25519')
  writeInto(cwd, 'text', '\nsha256\nand so on')
  const text = signedimp(['show', 'text'], { cwd })
  assert.is(text.status, 1)
  assert.match(text.stderr, /ERR_SIGNEDIMP_MANIFEST_INVALID line \d/)
  for (const [target, code, words] of [
    ['nowhere', 2, 'no such file or folder'],
    ['.', 1, 'ERR_SIGNEDIMP_MISSING signedimp-manifest.txt'],
  ] as const) {
    const { status, stdout, stderr } = signedimp(['show', target], { cwd })
    assert.is(status, code)
    assert.is(stdout, '')
    assert.match(stderr, words)
  }
})

test.run()
