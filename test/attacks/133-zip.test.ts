import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { crc32, deflateRawSync } from 'node:zlib'
import { signDirectory, signZipfile, verifyDirectory, verifyZipfile } from 'signedimp'
import { attack, attacks } from '../support/attack.ts'
import { scratchFolder } from '../support/processes.ts'
import { craftZip, descriptor, end64, extraField, packed, type Crafted } from '../support/zip.ts'
import { contentsOf, folderOf, readFrom, sha256, writeInto } from '../tree/folder.ts'
import { expect, file, newPublisher, signed, textOf } from './signed.ts'

// Each zip file holds a manifest with a good signature, of what a reader without scruples finds in it by its directory: so
// what refuses it is that another reader could find something else.

const evil = 'evil()'
const good = { name: 'a.js', data: 'good()' }
const other = { name: 'b.js', data: 'b'.repeat(100) }
const deflated = { ...good, method: 8 }
const link = (0o120777 << 16) >>> 0
const full = 0xffffffff

/** A whole local entry of other bytes. */
const hidden = (name: string): Buffer => {
  const zip = craftZip([{ name, data: evil }])
  return zip.subarray(0, zip.indexOf('PK\x01\x02'))
}

interface Lie {
  zip(manifest: Crafted): Buffer
  code: 'ZIP' | 'PATH'
  /** What the manifest lists; `a.js` and `b.js` if not said otherwise. */
  lists?: Record<string, string>
}

const zip = (make: Lie['zip'], lists?: Lie['lists']): Lie => ({
  zip: make,
  code: 'ZIP',
  ...(lists && { lists }),
})
/** An app whose first file is changed. */
const first = (change: Partial<Crafted>, base: Crafted = good): Lie =>
  zip((manifest) => craftZip([{ ...base, ...change }, other, manifest]))
const named = (name: string | Buffer, change: Partial<Crafted> = {}): Lie => ({
  zip: (manifest) => craftZip([{ ...good, name, ...change }, other, manifest]),
  code: 'PATH',
  lists: { [name.toString()]: good.data, 'b.js': other.data },
})
const around = (end: Parameters<typeof craftZip>[1]): Lie =>
  zip((manifest) => craftZip([good, other, manifest], end))

const lies: Record<string, Lie> = {
  'two entries of one name': zip((manifest) =>
    craftZip([{ ...good, data: evil }, good, other, manifest]),
  ),
  'two manifests': zip((manifest) => craftZip([good, other, { ...manifest, data: 'x' }, manifest])),
  'a file and a folder of one name': zip((manifest) =>
    craftZip([{ name: 'a.js/' }, good, other, manifest]),
  ),
  'a file that is a folder of others': zip(
    (manifest) => craftZip([good, { name: 'a.js/b.js', data: evil }, manifest]),
    { 'a.js': good.data, 'a.js/b.js': evil },
  ),
  'another name in the header': first({ local: { name: Buffer.from('c.js') } }),
  'another CRC in the header': first({ local: { crc: 1 } }),
  'another CRC in both': first({ local: { crc: 1 }, central: { crc: 1 } }),
  'another size in the header': first({ local: { size: 5 } }),
  'another compressed size in the header': first({ local: { compressedSize: 5 } }),
  'another method in the header': first({ local: { method: 0 } }, deflated),
  'other flags in the header': first({ local: { flags: 2 } }),
  'another date in the header': first({ local: { time: 0x00220000 } }),
  'sizes of 0 in the header, and no descriptor': first({ local: { size: 0, compressedSize: 0 } }),
  'another mark in the header': zip((manifest) => {
    const bytes = craftZip([good, other, manifest])
    bytes.write('QK')
    return bytes
  }),
  'no header at all': first({ without: 'local' }),
  'an entry inside the bytes of another': zip(
    (manifest) => {
      const inner = hidden('b.js')
      const start = 30 + 'a.js'.length
      const twin = { name: 'b.js', data: evil, central: { start }, without: 'local' as const }
      return craftZip([{ name: 'a.js', data: inner }, twin, manifest])
    },
    { 'a.js': hidden('b.js').toString('latin1'), 'b.js': evil },
  ),
  'two entries of one place': zip((manifest) =>
    craftZip([good, { ...good, central: { start: 0 }, without: 'local' }, other, manifest]),
  ),
  'bytes that reach into the next entry': first({
    local: { size: 50, compressedSize: 50 },
    central: { size: 50, compressedSize: 50 },
  }),
  'bytes between entries': first({ behind: Buffer.from('#!') }),
  'an entry that the directory does not list': zip((manifest) =>
    craftZip([good, { name: 'c.js', data: evil, without: 'central' }, other, manifest]),
  ),
  'an unlisted entry of a listed name': zip((manifest) =>
    craftZip([{ ...good, data: evil, without: 'central' }, good, other, manifest]),
  ),
  'an unlisted entry behind all others': zip((manifest) =>
    craftZip([good, other, { ...manifest, behind: hidden('a.js') }]),
  ),
  'bytes before the zip file': around({ prefix: Buffer.from('#!/bin/sh\n') }),
  'bytes before its first entry': around({ prefix: Buffer.from('#!/bin/sh\n'), counted: true }),
  'another zip file before it': around({
    prefix: craftZip([{ ...good, data: evil }]),
    counted: true,
  }),
  'bytes behind it': around({ suffix: Buffer.from('more') }),
  'another zip file behind it': around({ suffix: craftZip([{ ...good, data: evil }]) }),
  'bytes between directory and end': around({ middle: () => Buffer.from('more') }),
  'a comment': around({
    end: (end) => end.writeUInt16LE(4, 20),
    suffix: Buffer.from('more'),
  }),
  'a comment that is not there': around({ end: (end) => end.writeUInt16LE(4, 20) }),
  'an end that counts one entry less': around({
    end: (end) => {
      end.writeUInt16LE(2, 8)
      end.writeUInt16LE(2, 10)
    },
  }),
  'an end of several parts': around({ end: (end) => end.writeUInt16LE(1, 4) }),
  'an end that counts other entries in this part': around({
    end: (end) => end.writeUInt16LE(1, 8),
  }),
  'an entry with a comment': first({ central: { comment: Buffer.from('more') } }),
  'an entry in another part': first({ central: { part: 1 } }),
  'an encrypted entry': first({ flags: 1 }),
  'a strongly encrypted entry': first({ flags: 0x41 }),
  'an entry encrypted with AES': first({
    local: { extra: extraField(0x9901, Buffer.alloc(7)) },
    central: { extra: extraField(0x9901, Buffer.alloc(7)) },
  }),
  'masked headers': first({ flags: 1 << 13 }),
  'a patch': first({ flags: 1 << 5 }),
  'an unknown method': first({ method: 12, stored: deflateRawSync(good.data) }),
  'a second name in an extra field': first({
    central: {
      extra: extraField(0x7075, Buffer.concat([packed([1, 2], [0, 4]), Buffer.from('c')])),
    },
  }),
  'a second name in an extra field of the header': first({
    local: { extra: extraField(0x7075, Buffer.concat([packed([1, 2], [0, 4]), Buffer.from('c')])) },
  }),
  'an extra field twice': first({
    central: { extra: Buffer.concat([0, 1].map(() => extraField(0x5455, Buffer.of(0)))) },
  }),
  'an extra field that is cut off': first({ central: { extra: packed([0x5455, 2], [9, 2]) } }),
  'a Zip64 field that nothing asks for': first({
    central: { extra: extraField(1, packed([6, 8])) },
  }),
  'a Zip64 field in the header alone that nothing asks for': first({
    local: { extra: extraField(1, packed([6, 8], [6, 8])) },
  }),
  'a Zip64 field that is not there': first({ central: { size: full } }),
  'a Zip64 field with one number more': first({
    central: { size: full, extra: extraField(1, packed([6, 8], [6, 8])) },
  }),
  'a Zip64 field of another size in the header': first({
    local: { size: full, compressedSize: full, extra: extraField(1, packed([5, 8], [5, 8])) },
  }),
  'a Zip64 field for one of two sizes in the header': first({
    local: { size: full, extra: extraField(1, packed([6, 8])) },
  }),
  'a Zip64 size beyond all numbers': first({
    central: { size: full, extra: extraField(1, Buffer.alloc(8, 255)) },
  }),
  'two ends that disagree': around({
    middle: (directory) => end64({ ...directory, count: 1 }),
  }),
  'a small end of another count': around({
    middle: end64,
    end: (end) => {
      end.writeUInt16LE(1, 8)
      end.writeUInt16LE(1, 10)
    },
  }),
  'a small end of another place': around({ middle: end64, end: (end) => end.writeUInt32LE(1, 16) }),
  'a small end of another size': around({ middle: end64, end: (end) => end.writeUInt32LE(1, 12) }),
  'a Zip64 end for another directory': around({
    middle: (directory) => end64({ ...directory, start: directory.start - 10 }),
    end: (end) => end.writeUInt32LE(full, 16),
  }),
  'a Zip64 end elsewhere': around({
    middle: (directory) => end64(directory, directory.start),
  }),
  'a Zip64 end that is not there': around({ end: (end) => end.writeUInt32LE(full, 16) }),
  'a descriptor of another CRC': first(
    { flags: 8, behind: descriptor(good.data, { crc: 1 }) },
    deflated,
  ),
  'a descriptor of another size': first(
    { flags: 8, behind: descriptor(good.data, { size: 7 }) },
    deflated,
  ),
  'a descriptor of another compressed size': first(
    { flags: 8, behind: descriptor(good.data, { compressedSize: 7 }) },
    deflated,
  ),
  'a descriptor that is not there': first({ flags: 8 }, deflated),
  'a descriptor that nothing says': first({ behind: descriptor(good.data) }, deflated),
  'a descriptor of 64 bits that nothing says': first(
    { flags: 8, behind: descriptor(good.data, {}, 8) },
    deflated,
  ),
  'a descriptor and more': first(
    { flags: 8, behind: Buffer.concat([descriptor(good.data), Buffer.from('more')]) },
    deflated,
  ),
  'a descriptor behind stored bytes': first({
    flags: 8,
    behind: descriptor(good.data, { compressedSize: good.data.length }),
  }),
  'bytes behind the end of what is deflated': first(
    { stored: Buffer.concat([deflateRawSync(good.data), Buffer.from(evil)]) },
    deflated,
  ),
  'deflated bytes that are cut off': first(
    { stored: deflateRawSync(good.data).subarray(0, -2) },
    deflated,
  ),
  'more bytes than it says': first(
    {
      stored: deflateRawSync(good.data + evil),
      local: { crc: crc32(Buffer.from(good.data)) },
    },
    deflated,
  ),
  'stored bytes of another size': first({
    stored: Buffer.from(good.data + evil),
  }),
  'a folder that holds bytes': zip((manifest) =>
    craftZip([good, { name: 'c/', data: evil }, other, manifest]),
  ),
  'a folder to some and a file to others': first({ central: { attributes: 0x10 } }),
  'no end': zip((manifest) => craftZip([good, other, manifest]).subarray(0, -22)),
  'a link': named('c.js', { central: { attributes: link } }),
  'a link made on Windows': named('c.js', { central: { attributes: 0x420 } }),
  'a pipe': named('c.js', { central: { attributes: (0o010644 << 16) >>> 0 } }),
  'a name that leads out': named('../a.js'),
  'a name that leads out later': named('x/../../a.js'),
  'an absolute name': named('/a.js'),
  'a name with a backslash': named('..\\a.js'),
  'a name with a drive': named('C:/a.js'),
  'a name with a NUL': named('a.js\0.txt'),
  'a name that reorders text': named('a\u202ejs.exe', { flags: 1 << 11 }),
  'a name that is not NFC': named('cafe\u0301.js', { flags: 1 << 11 }),
  'a name that is not UTF-8': named(Buffer.from([0x61, 0xff]), { flags: 1 << 11 }),
  'a name that is not marked as UTF-8': named('café.js'),
  'a folder that leads out': {
    ...named('c.js'),
    zip: (manifest) => craftZip([good, { name: '../' }, other, manifest]),
  },
  'names that differ in letter case': {
    zip: (manifest) => craftZip([good, { ...good, name: 'A.js' }, manifest]),
    code: 'PATH',
    lists: { 'A.js': good.data, 'a.js': good.data },
  },
}

/** A zip file with a manifest of what it should be. */
async function zipFileOf({ zip, lists = { 'a.js': good.data, 'b.js': other.data } }: Lie) {
  const { key, signer } = await newPublisher()
  const lines = Object.entries(lists).map(([path, text]) =>
    file(path, sha256(Buffer.from(text, 'latin1'))),
  )
  const text = await signed(textOf({ files: lines.sort(byPath) }), {
    signer,
  } as Awaited<ReturnType<typeof newPublisher>>)
  const path = join(scratchFolder(), 'app.zip')
  writeFileSync(path, zip({ name: 'signedimp-manifest.txt', data: Buffer.from(text) }))
  return { path, key, signer }
}

const byPath = (a: string, b: string) => (a.slice(65) < b.slice(65) ? -1 : 1)

const codeOf = async (work: () => Promise<unknown>): Promise<string> =>
  work().then(
    () => 'ok accepted',
    ({ code, message }: { code?: string; message: string }) => `refused ${code ?? message}`,
  )

attack(133, 'an honest zip file is accepted', { quick: true }, async () => {
  const honest = zip((manifest) =>
    craftZip([
      { name: 'x/' },
      {
        ...deflated,
        flags: 8,
        behind: descriptor(good.data),
        local: { crc: 0, size: 0, compressedSize: 0 },
      },
      other,
      manifest,
    ]),
  )
  const { path, key } = await zipFileOf(honest)
  assert.is((await verifyZipfile(path, [key], { name: 'shop' })).files, 2)
  return 'ok as signed'
})

attack(
  133,
  'a zip file that readers read differently',
  { quick: true, variants: Object.keys(lies) },
  async (variant) => {
    const lie = lies[variant]!
    const { path, key, signer } = await zipFileOf(lie)
    expect(await codeOf(() => verifyZipfile(path, [key])), lie.code)
    const before = readFrom(path, '')
    const outcome = expect(await codeOf(() => signZipfile(path, signer)), lie.code)
    assert.is(readFrom(path, ''), before)
    return outcome
  },
)

const folders: Record<string, [code: string, spoil: (dir: string) => void]> = {
  'a link to a file': ['FILES', (dir) => symlinkSync('a.js', join(dir, 'c.js'))],
  'a link in the place of a file': [
    'FILES',
    (dir) => {
      renameSync(join(dir, 'a.js'), join(dir, '../outside.js'))
      symlinkSync('../outside.js', join(dir, 'a.js'))
    },
  ],
  'a link to a folder': ['FILES', (dir) => symlinkSync('..', join(dir, 'up'))],
  'a link in the place of the folder of a file': [
    'FILES',
    (dir) => {
      renameSync(join(dir, 'x'), join(dir, '../outside'))
      symlinkSync('../outside', join(dir, 'x'))
    },
  ],
  'a pipe': ['FILES', (dir) => execFileSync('mkfifo', [join(dir, 'pipe')])],
}

async function signedFolder() {
  const { key, signer } = await newPublisher()
  const dir = join(await folderOf({ 'app/a.js': 'a', 'app/x/b.js': 'b' }), 'app')
  await signDirectory(dir, signer, { name: 'shop' })
  return { dir, key, signer }
}

attack(
  133,
  'a folder with what is no file',
  { variants: Object.keys(folders) },
  async (variant) => {
    const [code, spoil] = folders[variant]!
    const { dir, key, signer } = await signedFolder()
    spoil(dir)
    expect(await codeOf(() => signDirectory(dir, signer)), 'PATH')
    return expect(await codeOf(() => verifyDirectory(dir, [key])), code)
  },
)

/** What another process does while files are hashed. */
const races: Record<string, (dir: string) => void> = {
  'is written': (dir) => writeInto(dir, 'a.js', 'z'),
  'is written with its old date': (dir) => {
    writeInto(dir, 'a.js', 'z')
    utimesSync(join(dir, 'a.js'), 1, 1)
  },
  'is replaced': (dir) => {
    writeInto(dir, '../new.js', 'z')
    renameSync(join(dir, '../new.js'), join(dir, 'a.js'))
  },
  comes: (dir) => writeInto(dir, 'c.js', evil),
  'comes in a new folder': (dir) => {
    mkdirSync(join(dir, 'y'))
    writeInto(dir, 'y/c.js', evil)
  },
}

attack(
  133,
  'a file of a folder that changes once it was hashed',
  { variants: Object.keys(races) },
  async (variant) => {
    const { dir, key, signer } = await signedFolder()
    const progress = (done: number) => {
      if (done === 2) races[variant]!(dir)
    }
    const before = contentsOf(dir)
    const code = await codeOf(() => verifyDirectory(dir, [key], { progress }))
    expect(code, 'LATE_WRITE')
    const fresh = await signedFolder()
    const again = (done: number) => {
      if (done === 2) races[variant]!(fresh.dir)
    }
    const options = { build: 2, progress: again }
    expect(await codeOf(() => signDirectory(fresh.dir, signer, options)), 'LATE_WRITE')
    assert.match(
      readFrom(fresh.dir, 'signedimp-manifest.txt'),
      /^[^#]*# signedimp: 1\n# name: shop\n(?!# build)/,
    )
    assert.ok(Object.keys(before).length > 0)
    return code
  },
)

attack(
  133,
  'a zip file that changes while it is read',
  { variants: ['is written', 'is replaced'] },
  async (variant) => {
    const { path, key, signer } = await zipFileOf(
      zip((manifest) => craftZip([good, other, manifest])),
    )
    const change = () => {
      const bytes = craftZip([{ ...good, data: evil }])
      writeFileSync(variant === 'is written' ? path : `${path}.new`, bytes)
      if (variant === 'is replaced') renameSync(`${path}.new`, path)
      return bytes
    }
    const progress = (done: number) => {
      if (done === 2) change()
    }
    const code = expect(await codeOf(() => verifyZipfile(path, [key], { progress })), 'LATE_WRITE')
    // Also between what was read and what is written.
    const slow = {
      key: signer.key,
      sign: (text: Uint8Array<ArrayBuffer>) => {
        change()
        return signer.sign(text)
      },
    }
    expect(await codeOf(() => signZipfile(path, slow, { name: 'shop' })), 'LATE_WRITE')
    assert.is(readFrom(path, ''), change().toString())
    return code
  },
)

attacks.run()
