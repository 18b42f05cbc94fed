import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { resolveRegister, toPath, type RegisterOptions } from '../../src/hooks/options.ts'
import { publicKeyPem, toTrustedKey } from '../../src/keys/public.ts'
import { throwsCode, throwsMistake } from '../support/throws.ts'

// Options of `register`, without a program.

const trusted = toTrustedKey(await generateKey('ed25519'))
const pem = publicKeyPem(trusted)
const said = { keys: [pem], name: 'shop', root: '/srv/app' }

const mistake = (options: object, message: RegExp) =>
  throwsMistake(() => resolveRegister({ ...said, ...options } as RegisterOptions), message)

test('a root has what all have, but for what it says itself', () => {
  const release = 'a'.repeat(64)
  const { roots, nodeModules, allow } = resolveRegister({
    ...said,
    allow: ['/srv/boot.mjs', pathToFileURL('/srv/lib/')],
    roots: [{ base: pathToFileURL('/srv/cart'), name: 'cart', build: 3, release }],
  })
  const keys = [trusted]
  const all = { keys, threshold: 1, manifest: 'signedimp-manifest.txt' }
  assert.equal(roots, [
    { ...all, base: '/srv/app', name: 'shop', build: undefined, release: undefined },
    { ...all, base: '/srv/cart', name: 'cart', build: 3, release },
  ])
  assert.is(nodeModules, 'refused')
  assert.equal(allow, ['/srv/boot.mjs', '/srv/lib/'])
})

test('mistakes are named', () => {
  mistake({ root: undefined }, /^"root" must be given, or "roots"$/)
  mistake({ root: 1 }, /^"root" must be a path or a file: URL/)
  mistake({ root: new URL('https://example.com/') }, /^"root" must be a path or a file: URL/)
  mistake({ roots: [{ base: '' }] }, /^"base" must be a path or a file: URL/)
  mistake(
    { roots: [{ base: '/srv/b', release: 'A'.repeat(64) }] },
    /^"release" must be a SHA-256 in hex/,
  )
  mistake({ nodeModules: 'checked' }, /^"nodeModules" must be "refused" or "unverified"/)
  mistake({ allow: '/srv' }, /^"allow" must be an array of paths and file: URLs/)
  mistake({ name: undefined }, /^"name" must be given/)
  mistake({ keys: [] }, /^"keys" must hold a key/)
  mistake({ trust: 1 }, /"trust" is no option/)
})

test('a key that is damaged, or that says that it is another, is refused', async () => {
  const other = toTrustedKey(await generateKey('ed25519'))
  for (const key of [
    pem.replace(/.{8}\n-----END/, '\n-----END'),
    { ...trusted, fingerprint: other.fingerprint },
  ])
    await throwsCode(() => resolveRegister({ ...said, keys: [key] }), 'ERR_SIGNEDIMP_KEY')
})

test('a folder keeps the separator that says that it is one', () => {
  assert.is(toPath('/srv/lib/'), '/srv/lib/')
  assert.is(toPath('/srv/lib'), '/srv/lib')
  assert.is(toPath('lib'), join(process.cwd(), 'lib'))
  assert.is(toPath('/'), '/')
})

test.run()
