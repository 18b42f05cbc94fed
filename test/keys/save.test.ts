import { KeyObject } from 'node:crypto'
import { lstat, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { utf8 } from '../../src/crypto/bytes.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { loadPublicKey } from '../../src/keys/public.ts'
import { saveKey } from '../../src/keys/save.ts'
import { skip } from '../support/skip.ts'
import { inFolder } from './folder.ts'
import { kinds, madeKey, madePublic } from './made.ts'
import { noOpenssl, openssl } from './openssl.ts'
import { mistaken, password, refused } from './refusals.ts'

const message = utf8('sha256')

for (const kind of kinds)
  for (const secret of [password, null])
    test(`a ${kind} key ${secret ? 'with' : 'without'} a password comes back from its files, and signs for what .pub says`, () =>
      inFolder(async (folder) => {
        const file = join(folder, 'release.pem')
        await saveKey(await madeKey(kind), file, { password: secret })
        const signer = await loadSigner(file, secret ? { password: secret, env: {} } : { env: {} })
        const pinned = await loadPublicKey(`${file}.pub`)
        assert.equal(signer.key, pinned)
        assert.equal(pinned, await madePublic(kind))
        assert.is(await nodeCrypto.verify(pinned, await signer.sign(message), message), true)
        assert.match(
          await readFile(file, 'utf8'),
          secret ? /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/ : /^-----BEGIN PRIVATE KEY-----\n/,
        )
        assert.match(
          await readFile(`${file}.pub`, 'utf8'),
          /^-----BEGIN PUBLIC KEY-----\n[^]*-----END PUBLIC KEY-----\n$/,
        )
      }))

if (noOpenssl) skip(test, 'openssl reads the keys that are saved', noOpenssl)
else
  for (const kind of kinds)
    test(`openssl reads an encrypted ${kind} key, finds it sound, and finds scrypt in it`, () =>
      inFolder(async (folder) => {
        const file = join(folder, 'release.pem')
        await saveKey(await madeKey(kind), file, { password })
        await writeFile(join(folder, 'password'), password)
        const passin = `-passin file:${join(folder, 'password')}`
        assert.is(
          openssl(`pkey -in ${file} ${passin} -pubout`),
          await readFile(`${file}.pub`, 'utf8'),
        )
        assert.match(openssl(`pkey -in ${file} ${passin} -check -noout`), 'Key is valid')
        const structure = openssl(`asn1parse -in ${file}`)
        for (const words of [':PBES2', ':scrypt', /INTEGER +:4000\n/, ':aes-256-cbc'])
          assert.match(structure, words)
      }))

test('two saves of one key with one password differ: salt and IV are new each time', () =>
  inFolder(async (folder) => {
    const bodies = []
    for (const name of ['a', 'b']) {
      await saveKey(await madeKey('ed25519'), join(folder, name), { password })
      bodies.push((await readFile(join(folder, name), 'utf8')).split('\n').slice(2, -2).join(''))
    }
    assert.is.not(bodies[0], bodies[1])
  }))

test('only its owner may read a private key, whatever the umask; everybody may read the public one', () =>
  inFolder(async (folder) => {
    const umask = process.umask(0)
    try {
      await saveKey(await madeKey('ed25519'), join(folder, 'k'), { password })
    } finally {
      process.umask(umask)
    }
    const modeOf = async (file: string) => (await stat(join(folder, file))).mode & 0o777
    assert.equal([await modeOf('k'), await modeOf('k.pub')], [0o600, 0o644])
  }))

for (const existing of ['k', 'k.pub'])
  test(`a key is never overwritten: where ${existing} exists, it stays as it is and nothing is added`, () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, existing), 'precious')
      const save = async () => saveKey(await madeKey('ed25519'), join(folder, 'k'), { password })
      await refused('ERR_SIGNEDIMP_KEY', save, /\/k(\.pub)?: exists already.*another name/)
      assert.equal(await readdir(folder), [existing])
      assert.is(await readFile(join(folder, existing), 'utf8'), 'precious')
    }))

test('a key is not written through a link, which may lead to a public folder', () =>
  inFolder(async (folder) => {
    await symlink(join(folder, 'elsewhere'), join(folder, 'k'))
    const save = async () => saveKey(await madeKey('ed25519'), join(folder, 'k'), { password })
    await refused('ERR_SIGNEDIMP_KEY', save, 'exists already')
    assert.equal(await readdir(folder), ['k'])
    assert.ok((await lstat(join(folder, 'k'))).isSymbolicLink())
  }))

test('of two that save to one name at once, one is refused, and the files are those of the other', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'k')
    const keys = [await generateKey('ed25519'), await generateKey('ed25519')]
    const saved = await Promise.allSettled(
      keys.map((key) => saveKey(key, file, { password: null })),
    )
    assert.equal(saved.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const signer = await loadSigner(file)
    assert.equal(signer.key, await loadPublicKey(`${file}.pub`))
  }))

test('a folder that is not there is named, and not made', () =>
  inFolder(async (folder) => {
    const save = async () => saveKey(await madeKey('ed25519'), join(folder, 'no/k'), { password })
    await refused('ERR_SIGNEDIMP_KEY', save, /no\/k: cannot be written \(ENOENT\)/)
    assert.equal(await readdir(folder), [])
  }))

test('a key is saved at a URL too', () =>
  inFolder(async (folder) => {
    const url = pathToFileURL(join(folder, 'odd #name'))
    await saveKey(await madeKey('ed25519'), url, { password: null })
    assert.equal((await readdir(folder)).sort(), ['odd #name', 'odd #name.pub'])
    assert.equal((await loadSigner(url)).key, await madePublic('ed25519'))
  }))

test('a key without a password is written only where the caller says null: an unset variable must not leave it open', () =>
  inFolder(async (folder) => {
    const key = await madeKey('ed25519')
    for (const wrong of [
      {},
      { password: undefined },
      { password: '' },
      { password: 7 },
      { password: false },
      undefined,
    ])
      await mistaken(
        () => saveKey(key, join(folder, 'k'), wrong as never),
        /"password" must be a string, or null/,
      )
    assert.equal(await readdir(folder), [])
  }))

test('a password may have any characters, and as many as OpenSSL takes; with more, nobody could open the key again', () =>
  inFolder(async (folder) => {
    const key = await madeKey('ed25519')
    for (const [at, long] of ['pässwörd\u{1f600}', ' ', 'a\nb', 'x'.repeat(1024)].entries()) {
      const file = join(folder, `k${at}`)
      await saveKey(key, file, { password: long })
      assert.equal((await loadSigner(file, { password: long })).key, await madePublic('ed25519'))
    }
    for (const long of ['x'.repeat(1025), 'ä'.repeat(513)])
      await mistaken(
        () => saveKey(key, join(folder, 'k'), { password: long }),
        '"password" must have at most 1024 bytes',
        long,
      )
    assert.is((await readdir(folder)).length, 8)
  }))

test('what is no private key, or no file name, is not saved', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'k')
    const secret = KeyObject.from(
      await crypto.subtle.generateKey({ name: 'AES-CBC', length: 256 }, true, ['encrypt']),
    )
    for (const wrong of [undefined, 'PEM', secret, {}])
      await mistaken(
        () => saveKey(wrong as never, file, { password }),
        '"key" must be a private KeyObject',
      )
    for (const wrong of [undefined, ''])
      await mistaken(
        async () => saveKey(await madeKey('ed25519'), wrong as never, { password }),
        '"file" must be',
      )
    assert.equal(await readdir(folder), [])
  }))

test.run()
