import { spawn, spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { TrustedKey } from '../../src/crypto/key.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { parseUnverified } from '../../src/tree/describe.ts'
import { FilesRefusedError } from '../../src/tree/refused.ts'
import { signDirectory } from '../../src/tree/sign.ts'
import { attachSignatures, readManifests, signDetached } from '../../src/tree/signatures.ts'
import { folderTree } from '../../src/tree/tree.ts'
import { verifyDirectory } from '../../src/tree/verify.ts'
import { addKey } from '../cli/workplace.ts'
import { root } from '../support/files.ts'
import { scratchFolder } from '../support/processes.ts'
import { skip } from '../support/skip.ts'
import { throwsCode } from '../support/throws.ts'
import { addPageManifest, writeInto } from './folder.ts'

const manifest = 'signedimp-manifest.txt'
const leftover = `.${manifest}.01234567-89ab-cdef-0123-456789abcdef.tmp`
const interrupted = /unlisted \(left by a write that was interrupted: sign again, or delete it\)/

/** A folder with a page manifest and a compressed copy, signed by `a.key` as build 1; and `b.key`. */
async function workplace() {
  const cwd = scratchFolder()
  const dir = join(cwd, 'dist')
  writeInto(dir, 'assets/a.js', 'a')
  const keys = [await addKey(cwd, 'a.key'), await addKey(cwd, 'b.key')]
  const signer = await loadSigner(join(cwd, 'a.key'))
  const page = await addPageManifest(dir, signer, ['assets/a.js'], { build: 1 })
  await signDirectory(dir, signer, { name: 'shop', build: 1 })
  writeInto(dir, `${manifest}.gz`, gzipSync(readFileSync(join(dir, manifest))))
  return { cwd, dir, keys, signer, page }
}

/** That a folder is as signed by the key, but for what a killed write left. @returns whether it left something */
async function checkKilled(dir: string, key: TrustedKey): Promise<boolean> {
  const outcome = await verifyDirectory(dir, [key], { name: 'shop' }).catch((error) => error)
  if (!(outcome instanceof Error)) return false
  assert.instance(outcome, FilesRefusedError, outcome.message)
  for (const { path, reason } of (outcome as FilesRefusedError).problems) {
    assert.match(path, /^\.signedimp-manifest(\.\w{16})?\.txt\.[\da-f-]{36}\.tmp$/)
    assert.match(reason!, 'left by a write')
  }
  return true
}

const hidden = (dir: string): string[] => readdirSync(dir).filter((name) => name.startsWith('.'))

test('what a killed write left is named, is signed by nobody, and goes when somebody signs', async () => {
  const { dir, signer } = await workplace()
  for (const name of [leftover, leftover.replace('.txt', `.${'0'.repeat(16)}.txt`)]) {
    writeInto(dir, name, 'half of it')
    const error = await throwsCode(() => verifyDirectory(dir, [signer.key]), 'ERR_SIGNEDIMP_FILES')
    assert.match(error.message, interrupted)
    const report = await signDirectory(dir, signer, { build: 2 })
    assert.equal([report.removedCopies[0], report.files], [name, 1])
    await verifyDirectory(dir, [signer.key])
    assert.equal(hidden(dir), [])
  }
  // Files with names that only look so are files.
  writeInto(dir, leftover.replace(manifest, 'a.js'), '')
  assert.is((await signDirectory(dir, signer)).files, 2)
})

test('attached signatures take what a killed write left with them, too', async () => {
  const { dir, signer } = await workplace()
  writeInto(dir, leftover, 'half of it')
  const place = { tree: folderTree(dir), manifestName: manifest, alone: false }
  const signatures = await signDetached(await readManifests(place), signer)
  await attachSignatures(place, signatures, [signer.key])
  assert.equal(hidden(dir), [])
  await verifyDirectory(dir, [signer.key])
})

test('killed at any moment, whoever signs leaves the old manifest or the new one', async () => {
  const { cwd, dir, signer } = await workplace()
  const script = join(root, 'test/tree/sign-forever.ts')
  let build = 1
  for (let kills = 0; kills < 16; kills++) {
    const args = ['--import', import.meta.resolve('tsx'), script, dir, join(cwd, 'a.key')]
    const child = spawn(process.execPath, [...args, String(build + 1)], { stdio: 'pipe' })
    const ended = new Promise((done) => child.once('close', done))
    await new Promise((done) => child.stdout.once('data', done))
    await sleep(Math.random() * 60)
    child.kill('SIGKILL')
    await ended
    const next = parseUnverified(manifest, readFileSync(join(dir, manifest))).manifest.build!
    assert.ok(next > build, `build ${next} after ${build}`)
    build = next
    await checkKilled(dir, signer.key)
    await signDirectory(dir, signer, { build: ++build })
    assert.equal((await verifyDirectory(dir, [signer.key])).build, build)
    assert.equal(hidden(dir), [])
  }
})

// From here on, by what the system is asked for.

const calls = 'openat,write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat'

/** Signs by `b.key` in a process whose calls of the system are noted; in one thread, so that they have an order. */
function signTraced(cwd: string, ...options: string[]): string[] {
  const log = join(cwd, 'calls.txt')
  const cli = ['--import', import.meta.resolve('tsx'), join(root, 'src/cli.ts')]
  const sign = [process.execPath, ...cli, 'sign', 'dist', '--key', 'b.key']
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' }
  spawnSync('strace', ['-f', '-y', '-s', '0', '-o', log, ...options, ...sign], { cwd, env })
  const lines = readFileSync(log, 'utf8').split('\n')
  return lines.filter((line) => line.includes('dist'))
}

const canTrace =
  process.platform === 'linux' &&
  spawnSync('strace', ['-e', 'trace=none', 'true'], { stdio: 'ignore' }).status === 0

const places = 'a manifest is on the disk before it gets its name, and the name before the next one'
const steps = 'killed at any step, whoever signs leaves each manifest as it was or as it is to be'
if (!canTrace)
  for (const title of [places, steps]) skip(test, title, 'there is no strace that may trace')
else {
  test(places, async () => {
    const { cwd, page } = await workplace()
    const lines = signTraced(cwd, '-e', `trace=${calls}`)
    const at = (pattern: RegExp, from = 0): number => {
      const found = lines.findIndex((line, index) => index >= from && pattern.test(line))
      assert.ok(found >= 0, `${pattern} from ${from} in\n${lines.join('\n')}`)
      return found
    }
    let last = 0
    for (const name of [page, manifest]) {
      const temporary = String.raw`dist/\.${name.replaceAll('.', String.raw`\.`)}\.[\da-f-]{36}\.tmp`
      const opened = at(new RegExp(`openat\\(.*"${temporary}", O_WRONLY\\|O_CREAT\\|O_EXCL`), last)
      const written = at(new RegExp(`write(64)?\\(\\d+<[^>]*/${temporary}>`), opened)
      const synced = at(new RegExp(`f(data)?sync\\(\\d+<[^>]*/${temporary}>`), written)
      const named = at(new RegExp(`rename\\w*\\(.*"${temporary}".*"dist/${name}"`), synced)
      last = at(/fsync\(\d+<[^>]*\/dist>\)/, named)
    }
    // Nothing is ever written into the place of a manifest.
    assert.equal(
      lines.filter((line) => /O_(WRONLY|RDWR)/.test(line) && !line.includes('.tmp"')),
      [],
    )
  })

  test(steps, async () => {
    const { dir, cwd, signer, page } = await workplace()
    const other = await loadSigner(join(cwd, 'b.key'))
    const bytesOf = (folder: string) =>
      [page, manifest].map((name) => readFileSync(join(folder, name), 'utf8'))
    const before = bytesOf(dir)
    const whole = join(scratchFolder(), 'dist')
    cpSync(dir, whole, { recursive: true })
    await signDirectory(whole, other)
    const after = bytesOf(whole)
    const seen = new Set<string>()
    for (const [call, count] of [
      ['unlink', 1],
      ['fsync', 4],
      ['rename', 2],
    ] as const)
      for (let when = 1; when <= count; when++) {
        const kept = scratchFolder()
        cpSync(cwd, kept, { recursive: true })
        const folder = join(kept, 'dist')
        signTraced(kept, '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${when}`)
        const now = bytesOf(folder)
        for (const [index, text] of now.entries())
          assert.ok(text === before[index] || text === after[index], `${call} ${when}: ${text}`)
        const state = now.map((text, index) => (text === before[index] ? 'old' : 'new'))
        assert.not.equal(state, ['old', 'new'], `${call} ${when}`)
        const left = await checkKilled(folder, signer.key)
        seen.add([...state, left ? 'left' : ''].join(' '))
        await signDirectory(folder, other)
        await verifyDirectory(folder, [signer.key, other.key], { threshold: 2 })
        assert.equal(hidden(folder), [])
      }
    // It was killed indeed, and at different steps.
    for (const state of ['old old left', 'new old left'])
      assert.ok(seen.has(state), [...seen].join())
  })
}

test.run()
