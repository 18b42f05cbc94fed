import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { refuseStrays, walk, whileStill } from '../../src/tree/walk.ts'
import { skip } from '../support/skip.ts'
import { throwsCode } from '../support/throws.ts'
import { folderOf, writeInto } from './folder.ts'

const posix = process.platform !== 'win32'
const pathsIn = async (dir: string) => [...(await walk(dir)).files.keys()]

test('files are listed in the order of their UTF-8 bytes, dotfiles included', async () => {
  const dir = await folderOf({
    'b.js': '',
    'B.js': '',
    'a/z.js': '',
    'a.js': '',
    '.htaccess': '',
    'ｱ.js': '',
    '😀.js': '',
    '.well-known/x': '',
    ['__proto__']: '',
  })
  mkdirSync(join(dir, 'empty'))
  assert.equal(await pathsIn(dir), [
    '.htaccess',
    '.well-known/x',
    'B.js',
    '__proto__',
    'a.js',
    'a/z.js',
    'b.js',
    'ｱ.js',
    '😀.js',
  ])
})

test('links are refused by name, to files and to folders, inside and outside', async () => {
  const dir = await folderOf({ 'a.js': '', 'sub/b.js': '' })
  symlinkSync('a.js', join(dir, 'file-link'))
  symlinkSync('sub', join(dir, 'folder-link'))
  symlinkSync('/nowhere', join(dir, 'sub/dangling'))
  const { files, refused } = await walk(dir)
  assert.equal([...files.keys()], ['a.js', 'sub/b.js'])
  assert.equal([...refused.keys()], ['file-link', 'folder-link', 'sub/dangling'])
  const error = await throwsCode(async () => refuseStrays(await walk(dir)), 'ERR_SIGNEDIMP_PATH')
  assert.match(error.message, 'file-link: is a symbolic link')
})

if (posix) {
  test('names that cannot stand in a manifest are refused', async () => {
    const names = ['new\nline', 'back\\slash', '\u202egnp.js', 'e\u0301.js', '\ufeffx']
    const dir = await folderOf(Object.fromEntries(names.map((name) => [name, ''])))
    assert.equal([...(await walk(dir)).refused.keys()].sort(), [...names].sort())
  })

  test('a named pipe is refused, and not opened', async () => {
    const dir = await folderOf({})
    execFileSync('mkfifo', [join(dir, 'pipe')])
    assert.equal([...(await walk(dir)).refused], [['pipe', 'is no regular file']])
  })
} else skip(test, 'names and pipes that only POSIX has are refused', 'Windows has none')

if (process.platform === 'linux')
  test('a name that is not UTF-8 is refused, not read as another one', async () => {
    const dir = await folderOf({})
    writeFileSync(
      Buffer.concat([Buffer.from(dir + '/'), Buffer.from([0xff]), Buffer.from('.js')]),
      'evil',
    )
    const { files, refused } = await walk(dir)
    assert.equal([...refused], [['\ufffd.js', 'its name is not UTF-8']])
    assert.is(files.size, 0)
  })
else skip(test, 'a name that is not UTF-8 is refused', 'this file system has none')

for (const [what, act] of [
  ['is written', (dir: string) => writeInto(dir, 'a.js', 'bb')],
  [
    'is written with the same size and its time is set back',
    (dir: string) => {
      writeInto(dir, 'a.js', 'b')
      utimesSync(join(dir, 'a.js'), 1, 1)
    },
  ],
  ['goes away', (dir: string) => rmSync(join(dir, 'a.js'))],
  ['comes', (dir: string) => writeInto(dir, 'new.js', '')],
  [
    'is replaced by another of the same size and time',
    (dir: string) => {
      writeInto(dir, '../other', 'b')
      utimesSync(join(dir, '../other'), 1, 1)
      renameSync(join(dir, '../other'), join(dir, 'a.js'))
    },
  ],
  ['comes as a link', (dir: string) => symlinkSync('a.js', join(dir, 'new.js'))],
  [
    'becomes a link',
    (dir: string) => {
      rmSync(join(dir, 'a.js'))
      symlinkSync('b.js', join(dir, 'a.js'))
    },
  ],
] as const)
  test(`a file that ${what} while the folder is read is noticed`, async () => {
    const dir = join(await folderOf({ 'in/a.js': 'a', 'in/b.js': 'b' }), 'in')
    utimesSync(join(dir, 'a.js'), 1, 1)
    const work = whileStill(dir, async () => act(dir))
    const error = await throwsCode(() => work, 'ERR_SIGNEDIMP_LATE_WRITE')
    assert.match(error.message, /(a|new)\.js: changed while/)
  })

test('a file that went away explains the failure that it caused', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  const work = async () => {
    rmSync(join(dir, 'a.js'))
    throw new Error('no such file')
  }
  await throwsCode(() => whileStill(dir, work), 'ERR_SIGNEDIMP_LATE_WRITE')
})

test('a folder that stands still gives what the work gives, or why it failed', async () => {
  const dir = await folderOf({ 'a.js': 'a' })
  assert.equal(await whileStill(dir, async ({ files }) => [...files.keys()]), ['a.js'])
  const failure = new RangeError('mine')
  const caught = await whileStill(dir, () => Promise.reject(failure)).catch((error) => error)
  assert.is(caught, failure)
})

test.run()
