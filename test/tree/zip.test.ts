import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { FilesRefusedError } from '../../src/tree/refused.ts'
import { signDirectory, signZipfile } from '../../src/tree/sign.ts'
import { verifyZipfile } from '../../src/tree/verify.ts'
import { scratchFolder } from '../support/processes.ts'
import { skip } from '../support/skip.ts'
import { throwsCode } from '../support/throws.ts'
import { craftZip, descriptor, end64, extraField, packed, type Crafted } from '../support/zip.ts'
import { addPageManifest, folderOf, newSigner, readFrom, sha256, writeInto } from './folder.ts'

const signer = await newSigner()
const second = await newSigner()
const manifestName = 'signedimp-manifest.txt'
const lines = Array.from({ length: 5000 }, (_, at) => `line ${at}\n`).join('')
const large = Buffer.from(Array.from({ length: 3 << 20 }, (_, at) => (at * at) % 251))

const verify = (file: string) => verifyZipfile(file, [signer.key], { name: 'shop' })

/** The zip file of some entries, in a folder of its own. */
function zipOf(entries: readonly Crafted[], around = {}): string {
  const file = join(scratchFolder(), 'app.zip')
  writeFileSync(file, craftZip(entries, around))
  return file
}

const python = (code: string, ...args: string[]): string =>
  execFileSync('python3', ['-c', code, ...args], { encoding: 'utf8' })

/** Names and hashes in a zip file, as Python reads it. */
const listByPython = (file: string): Record<string, string> =>
  JSON.parse(
    python(
      'import sys,zipfile,json,hashlib\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nprint(json.dumps({n:hashlib.sha256(z.read(n)).hexdigest() for n in z.namelist() if n[-1]!="/"}))',
      file,
    ),
  )

const streamed = `
import sys,zipfile,os,io
class Pipe(io.RawIOBase):
  def writable(self): return True
  def write(self, data): return sys.stdout.buffer.write(data)
with zipfile.ZipFile(Pipe(),'w',zipfile.ZIP_DEFLATED) as z:
  for folder,_,names in os.walk('.'):
    for name in names: z.write(os.path.join(folder,name))`
const forced = `
import sys,zipfile,os
with zipfile.ZipFile('../app.zip','w',zipfile.ZIP_DEFLATED) as z:
  for folder,_,names in os.walk('.'):
    for name in names:
      path=os.path.relpath(os.path.join(folder,name))
      with z.open(path,'w',force_zip64=True) as to: to.write(open(path,'rb').read())`

/** Commands of others that make `../app.zip` of a folder. */
const makers: Record<string, string[]> = {
  zip: ['zip', '-qr', '../app.zip', '.'],
  'zip without compression': ['zip', '-qr0', '../app.zip', '.'],
  'zip without extra fields': ['zip', '-qrX', '../app.zip', '.'],
  'zip in a pipe': ['sh', '-c', 'zip -qr - . | cat > ../app.zip'],
  'zip with Zip64': ['zip', '-qr', '-fz', '../app.zip', '.'],
  'python3 -m zipfile': ['sh', '-c', 'python3 -m zipfile -c ../app.zip *'],
  'zipfile of Python in a pipe': ['sh', '-c', `python3 -c "$0" > ../app.zip`, streamed],
  'zipfile of Python with Zip64': ['python3', '-c', forced],
}

for (const [what, [command, ...args]] of Object.entries(makers)) {
  const title = `a zip file by ${what} is signed and verified, and others read it as before`
  const tool = what.includes('ython') ? 'python3' : 'zip'
  if (spawnSync(tool, ['--version']).error) skip(test, title, `there is no ${tool}`)
  else
    test(title, async () => {
      const texts = { 'index.html': '<p>', 'assets/a.js': lines, 'empty.txt': '', '.x': 'x' }
      const dir = await folderOf({})
      for (const [path, text] of Object.entries(texts)) writeInto(dir, `app/${path}`, text)
      writeInto(dir, 'app/large.bin', large)
      execFileSync(command!, args, { cwd: join(dir, 'app') })
      const file = join(dir, 'app.zip')
      const before = listByPython(file)
      const report = await signZipfile(file, signer, { name: 'shop', build: 3 })
      assert.is(report.files, Object.keys(before).length)
      const { [manifestName]: manifest, ...after } = listByPython(file)
      assert.equal(after, before)
      assert.ok(manifest)
      assert.is((await verify(file)).build, 3)
      execFileSync('unzip', ['-tqq', file])
    })
}

test('the bytes of other entries stay as they are, whatever wrote them', async () => {
  const entry = { name: 'a.js', data: lines, method: 8, flags: 8 }
  const extra = extraField(0x5455, Buffer.of(0))
  const file = zipOf([
    { name: 'x/' },
    { ...entry, local: { crc: 0, extra }, behind: descriptor(lines) },
    { name: 'café.txt', flags: 1 << 11, data: 'b' },
  ])
  const before = readFileSync(file)
  await signZipfile(file, signer, { name: 'shop' })
  const entries = before.indexOf('PK\x01\x02')
  assert.ok(readFileSync(file).subarray(0, entries).equals(before.subarray(0, entries)))
  assert.equal(Object.keys(listByPython(file)), ['a.js', 'café.txt', manifestName])
})

test('what a folder and its zip file hold is listed alike', async () => {
  const files = { 'a.js': 'a', 'b/c.js': 'c' }
  const dir = await folderOf(files)
  const file = zipOf(Object.entries(files).map(([name, data]) => ({ name, data })))
  await signDirectory(dir, signer, { name: 'shop', build: 3, expires: '2100-01-01T00:00:00Z' })
  await signZipfile(file, signer, { name: 'shop', build: 3, expires: '2100-01-01T00:00:00Z' })
  assert.is(listByPython(file)[manifestName], sha256(readFileSync(join(dir, manifestName))))
})

test('a zip file of a signed folder is verified, and signed again', async () => {
  const dir = await folderOf({ 'app/a.js': 'a', 'app/z.js': 'z' })
  const app = join(dir, 'app')
  const page = await addPageManifest(app, signer, ['a.js'])
  await signDirectory(app, signer, { name: 'shop' })
  // The manifest in the middle, so that what is behind it moves.
  const files = ['a.js', manifestName, page, 'z.js']
  execFileSync('zip', ['-q', '../app.zip', ...files], { cwd: app })
  const file = join(dir, 'app.zip')
  assert.equal((await verify(file)).pageManifests, [page])
  const report = await signZipfile(file, second)
  assert.equal([report.kept, report.pageManifests], [[signer.key.fingerprint], [page]])
  assert.is((await verify(file)).signers.length, 1)
  const keys = [signer.key, second.key]
  assert.is((await verifyZipfile(file, keys, { threshold: 2 })).signers.length, 2)
  execFileSync('unzip', ['-tqq', file])
})

test('signing twice with one key makes the same zip file', async () => {
  const file = zipOf([{ name: 'a.js', data: 'a' }])
  await signZipfile(file, signer, { name: 'shop' })
  const once = readFileSync(file)
  await signZipfile(file, signer)
  assert.ok(readFileSync(file).equals(once))
  assert.equal(readdirSync(join(file, '..')), ['app.zip'])
})

test('every difference is found and named', async () => {
  const [a, b, c] = ['a', 'b', 'c'].map((letter) => ({ name: `${letter}.js`, data: letter }))
  const file = zipOf([a!, b!])
  await signZipfile(file, signer, { name: 'shop' })
  const manifest = {
    name: manifestName,
    data: execFileSync('unzip', ['-p', file, manifestName]),
  }
  const problemsOf = async (...entries: Crafted[]) => {
    const error = await throwsCode(() => verify(zipOf(entries)), 'ERR_SIGNEDIMP_FILES')
    const { problems } = error as unknown as FilesRefusedError
    return problems.map(({ path, problem }) => `${problem} ${path}`)
  }
  assert.is((await verify(zipOf([manifest, b!, a!]))).files, 2)
  assert.equal(await problemsOf({ ...a!, data: 'z' }, b!, manifest), ['changed a.js'])
  assert.equal(await problemsOf(b!, manifest), ['missing a.js'])
  assert.equal(await problemsOf(a!, b!, c!, manifest), ['unlisted c.js'])
  assert.equal(await problemsOf({ ...a!, name: 'A.js' }, b!, manifest), [
    'unlisted A.js',
    'missing a.js',
  ])
  await throwsCode(() => verify(zipOf([a!, b!])), 'ERR_SIGNEDIMP_MISSING')
})

test('compressed copies in it must hold what their files hold', async () => {
  const copy = { name: 'a.js.gz', data: gzipSync('a') }
  const file = zipOf([{ name: 'a.js', data: 'a' }, copy])
  await signZipfile(file, signer, { name: 'shop' })
  assert.is((await verify(file)).files, 2)
  const stale = zipOf([{ name: 'a.js', data: 'b' }, copy])
  await throwsCode(() => signZipfile(stale, signer, { name: 'shop' }), 'ERR_SIGNEDIMP_OUTPUT')
})

test('Zip64 is read where it is needed and agrees', async () => {
  const wide = [packed([1, 8], [1, 8])].map((sizes) => extraField(1, sizes))[0]!
  const size = 0xffffffff
  const sizes = { size, compressedSize: size, extra: wide }
  const file = zipOf([{ name: 'a.js', data: 'a', local: sizes, central: sizes }], {
    middle: end64,
    end: (end: Buffer) => end.fill(255, 8, 20),
  })
  await signZipfile(file, signer, { name: 'shop' })
  assert.is((await verify(file)).files, 1)
  assert.is(listByPython(file)['a.js'], sha256('a'))
})

test('where there are more entries than a small end can count, there is a Zip64 end', async () => {
  const length = 0xffff - 1
  const file = zipOf(Array.from({ length }, (_, at) => ({ name: `${at}.js`, data: String(at) })))
  await signZipfile(file, signer, { name: 'shop' })
  assert.is((await verify(file)).files, length)
  const code = 'import sys,zipfile\nprint(len(zipfile.ZipFile(sys.argv[1]).namelist()))'
  assert.is(Number(python(code, file)), length + 1)
})

test('a large entry is read in pieces', async () => {
  const file = join(scratchFolder(), 'large.zip')
  const code = `import sys,zipfile
with zipfile.ZipFile(sys.argv[1],'w',zipfile.ZIP_DEFLATED) as z, z.open('zeros','w') as f:
  for _ in range(64): f.write(bytes(8 << 20))`
  python(code, file)
  const peak = () => process.resourceUsage().maxRSS * 1024
  const before = peak()
  await signZipfile(file, signer, { name: 'shop' })
  await verify(file)
  assert.ok(peak() - before < 128 << 20, `${peak() - before} bytes for 512 MiB`)
})

test('permissions and links of the zip file stay', async () => {
  const file = zipOf([{ name: 'a.js', data: 'a' }])
  chmodSync(file, 0o640)
  const link = join(file, '../link.zip')
  symlinkSync('app.zip', link)
  await signZipfile(pathToFileURL(link), signer, { name: 'shop' })
  assert.is(statSync(file).mode & 0o777, 0o640)
  assert.ok(readFrom(link, '').includes(manifestName))
  assert.is((await verify(file)).files, 1)
})

test('a signer that fails leaves the zip file as it was', async () => {
  const file = zipOf([{ name: 'a.js', data: 'a' }])
  const before = readFileSync(file)
  const failing = {
    key: signer.key,
    sign: () => Promise.reject(Object.assign(new Error('no token'), { code: 'HSM' })),
  }
  await throwsCode(() => signZipfile(file, failing, { name: 'shop' }), 'HSM')
  assert.ok(readFileSync(file).equals(before))
  assert.equal(readdirSync(join(file, '..')), ['app.zip'])
})

test('what is no zip file is refused, and callers’ mistakes are TypeErrors', async () => {
  const dir = await folderOf({
    'text.zip': 'no zip file, but a text of some length',
    'empty.zip': '',
  })
  for (const name of ['text.zip', 'empty.zip', '.']) {
    const error = await throwsCode(() => verify(join(dir, name)), 'ERR_SIGNEDIMP_ZIP')
    assert.match(error.message, name === '.' ? 'is no regular file' : 'is no zip file')
  }
  await throwsCode(() => verify(join(dir, 'nowhere.zip')), 'ENOENT')
  for (const work of [() => verify(''), () => signZipfile('', signer)]) {
    const error = (await work().catch((caught) => caught)) as Error
    assert.instance(error, TypeError)
    assert.match(error.message, '"file" must be the path or file URL of a zip file, got ""')
  }
})

test.run()
