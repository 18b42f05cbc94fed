import { cpSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scratchFolder } from '../support/processes.ts'
import { throwsCode } from '../support/throws.ts'
import { contentsOf, readFrom, sha256, writeInto } from '../tree/folder.ts'
import { folder, publicKey, seal, unsealDirectory, verifyDirectory } from './sealed.ts'

const record = 'signedimp-seal.json'
const manifest = 'signedimp-manifest.txt'

/** Bytes by path below the folder, wherever that is. */
const bytesIn = (dir: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(contentsOf(dir)).map(([file, hash]) => [file.slice(dir.length + 1), hash]),
  )

/** A sealed folder, and what it was before. */
async function sealed() {
  const dir = await folder()
  const before = bytesIn(dir)
  await seal(dir)
  return { dir, before }
}

test('a folder that was copied elsewhere is unsealed there', async () => {
  const { dir, before } = await sealed()
  const copy = join(scratchFolder(), 'copy')
  cpSync(dir, copy, { recursive: true })
  rmSync(dir, { recursive: true })
  await verifyDirectory(copy, [publicKey])
  await unsealDirectory(copy)
  assert.equal(bytesIn(copy), before)
})

// Wherever a seal or an unseal ends, the next unseal gives the folder back.

test('a seal that was interrupted anywhere is taken back', async () => {
  const { dir, before } = await sealed()
  const after = bytesIn(dir)
  const changed = Object.keys(after).filter((path) => after[path] !== before[path])
  const plain = await folder()
  for (const missing of changed.filter((path) => path !== record)) {
    const place = scratchFolder()
    cpSync(dir, place, { recursive: true })
    // What comes after it in the order of writing is not there either, and the manifest is last.
    for (const path of new Set([missing, manifest]))
      if (before[path]) cpSync(join(plain, path), join(place, path))
      else rmSync(join(place, path))
    await throwsCode(() => verifyDirectory(place, [publicKey]), 'ERR_SIGNEDIMP_MISSING')
    const { message } = await throwsCode(() => seal(place), 'ERR_SIGNEDIMP_OUTPUT')
    assert.match(message, 'a seal that was not written to the end; run signedimp unseal')
    await unsealDirectory(place)
    assert.equal(bytesIn(place), before, missing)
  }
})

test('what a seal that was killed left of a file that it wrote goes, and nothing else', async () => {
  const { dir, before } = await sealed()
  rmSync(join(dir, manifest))
  const id = '05a2be27-1b02-40dc-a8fd-cf4021e0baa8'
  for (const path of ['index.html', 'assets/main.js', manifest, 'mine.txt'])
    writeInto(dir, path.replace(/[^/]+$/, `.$&.${id}.tmp`), 'half')
  await unsealDirectory(dir)
  assert.equal(bytesIn(dir), { [`.mine.txt.${id}.tmp`]: sha256('half'), ...before })
})

test('what the record is written for is written after it, and the manifest last', async () => {
  const { dir } = await sealed()
  const time = (path: string) => statSync(join(dir, path), { bigint: true }).mtimeNs
  const order = [record, 'assets/main.js', 'index.html', manifest].map(time)
  assert.equal(
    order,
    order.toSorted((a, b) => Number(a - b)),
  )
})

// What was changed since is not guessed at.

for (const path of ['assets/main.js', 'index.html'])
  test(`a sealed file that was changed is refused, and nothing is written: ${path}`, async () => {
    const { dir } = await sealed()
    writeInto(dir, path, `${readFrom(dir, path)} `)
    const before = contentsOf(dir)
    const { message } = await throwsCode(() => unsealDirectory(dir), 'ERR_SIGNEDIMP_FILES')
    assert.match(message, `${path} changed`)
    assert.equal(contentsOf(dir), before)
  })

test('a sealed file that is gone is refused', async () => {
  const { dir } = await sealed()
  rmSync(join(dir, 'assets/main.js'))
  const { message } = await throwsCode(() => unsealDirectory(dir), 'ERR_SIGNEDIMP_FILES')
  assert.match(message, 'assets/main.js missing')
})

test('a file of ours that was changed is refused', async () => {
  const { dir } = await sealed()
  const runtime = readdirSync(dir).find((name) => name.startsWith('signedimp-runtime'))!
  writeInto(dir, runtime, 'other')
  const { message } = await throwsCode(() => unsealDirectory(dir), 'ERR_SIGNEDIMP_FILES')
  assert.match(message, `${runtime} changed`)
})

test('a compressed copy of a sealed file is refused; that of the manifest goes with it', async () => {
  const { dir, before } = await sealed()
  writeInto(dir, `${manifest}.gz`, gzipSync(readFrom(dir, manifest)))
  writeInto(dir, 'index.html.gz', gzipSync(readFrom(dir, 'index.html')))
  const { message } = await throwsCode(() => unsealDirectory(dir), 'ERR_SIGNEDIMP_FILES')
  assert.match(message, 'index.html.gz unlisted (is a compressed copy of a sealed file; delete it)')
  rmSync(join(dir, 'index.html.gz'))
  await unsealDirectory(dir)
  assert.equal(bytesIn(dir), before)
})

test('what came since stays', async () => {
  const { dir, before } = await sealed()
  writeInto(dir, 'new.txt', 'new')
  await unsealDirectory(dir)
  assert.equal(bytesIn(dir), { ...before, 'new.txt': sha256('new') })
})

test('with a key, only what that signed is unsealed', async () => {
  const { dir } = await sealed()
  writeInto(dir, 'new.txt', 'new')
  const before = contentsOf(dir)
  await throwsCode(() => unsealDirectory(dir, { keys: [publicKey] }), 'ERR_SIGNEDIMP_FILES')
  assert.equal(contentsOf(dir), before)
})

test('a folder that was never sealed is refused', async () => {
  const dir = await folder()
  const { message } = await throwsCode(() => unsealDirectory(dir), 'ERR_SIGNEDIMP_MISSING')
  assert.match(message, `${record}: is not there`)
})

test('a link in a sealed folder is refused', async () => {
  const { dir } = await sealed()
  symlinkSync('index.html', join(dir, 'link.html'))
  await throwsCode(() => unsealDirectory(dir), 'ERR_SIGNEDIMP_PATH')
})

// Anybody may have written the record.

for (const [title, edit] of Object.entries({
  'leaves the folder': (text: string) => text.replace('"assets/main.js"', '"../main.js"'),
  'names itself': (text: string) => text.replace('"assets/main.js"', `"${record}"`),
  'names the manifest by a path': (text: string) => text.replace(`"${manifest}"`, '"../x.txt"'),
  'names a page for the manifest': (text: string) =>
    text
      .replace(`"manifest": "${manifest}"`, '"manifest": "index.html"')
      .replace('"index.html": {', '"x.html": {'),
  'has no options': (text: string) => text.replace(/"options": .*/, '"options": null,'),
  'has no hash': (text: string) => text.replace(/"before":"\w+"/, '"before":""'),
  'has an odd delta': (text: string) => text.replace(/"delta":\[/, '"delta":[[-1,4],'),
  'is of a later version': (text: string) => text.replace('"signedimp": 1', '"signedimp": 2'),
  'is no JSON': () => '{',
  'is null': () => 'null',
}))
  test(`a record that ${title} is refused`, async () => {
    const { dir } = await sealed()
    const text = readFrom(dir, record)
    writeInto(dir, record, edit(text))
    assert.is.not(readFrom(dir, record), text)
    const before = contentsOf(dir)
    const { message } = await throwsCode(() => unsealDirectory(dir), 'ERR_SIGNEDIMP_OUTPUT')
    assert.match(message, `${record}: is no record`)
    assert.equal(contentsOf(dir), before)
  })

test('a record whose delta gives other bytes than it says is refused', async () => {
  const { dir } = await sealed()
  writeInto(dir, record, readFrom(dir, record).replace(/"delta":\[/, '"delta":["AAAA",'))
  const { message } = await throwsCode(() => unsealDirectory(dir), 'ERR_SIGNEDIMP_FILES')
  assert.match(message, 'changed')
})

for (const path of ['__proto__', 'constructor'])
  test(`a file called ${path} comes back as it was`, async () => {
    const page = `<!doctype html><script type="module" src="/${path}.js"></script>`
    const dir = await folder({
      [`${path}.html`]: page,
      [`${path}.js`]: 'import("./assets/lazy.js")',
    })
    const before = bytesIn(dir)
    await seal(dir)
    assert.not.equal(bytesIn(dir), before)
    await unsealDirectory(dir)
    assert.equal(bytesIn(dir), before)
  })

test.run()
