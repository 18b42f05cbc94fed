import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Boot } from '../../src/page/context.ts'
import { rememberBuild } from '../../src/page/memory.ts'
import { verifyManifest } from '../../src/manifest/verify.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { newPublisher, signed, textOf, type Publisher } from '../attacks/signed.ts'
import { throwsCode } from '../support/throws.ts'

// What a page notes of builds, and what of that counts. What browsers make of it is in test/browser/remember.test.ts.

const base = 'https://shop.example/'
const [ann, bea, cem] = await Promise.all([newPublisher(), newPublisher(), newPublisher()])

/** A storage whose entries are its properties, as those of a browser's are. */
class FakeStorage {
  [key: string]: unknown
  setItem(key: string, value: string): void {
    this[key] = value
  }
  removeItem(key: string): void {
    delete this[key]
  }
}

function useStorage(storage: unknown = new FakeStorage()): void {
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get: () => (typeof storage === 'function' ? storage() : storage),
  })
}

const noted = () => Object.keys(localStorage)

interface Release {
  build?: number | undefined
  /** Who signed; all of `trusted` where it is not said. */
  by?: Publisher[]
  trusted?: Publisher[]
  name?: string
  at?: string
}

/** What a page has checked when it looks at its memory. */
async function boot({ build, trusted = [ann], ...release }: Release): Promise<Boot> {
  const { by = trusted, name = 'shop', at = base } = release
  const directives = ['# signedimp: 1', `# name: ${name}`]
  const text = textOf({
    directives: build === undefined ? directives : [...directives, `# build: ${build}`],
  })
  const stored = await signed(text, ...by)
  const pinned = { keys: trusted.map(({ key }) => key), threshold: 1 }
  const manifest = await verifyManifest(stored, pinned, nodeCrypto)
  const toUrl = (path: string) => at + path
  return { manifest, pinned, stored, toUrl } as unknown as Boot
}

const visit = async (release: Release) => rememberBuild(await boot(release), true)
const refuses = (release: Release) => throwsCode(() => visit(release), 'ERR_SIGNEDIMP_ROLLBACK')

test.before.each(() => useStorage())

test('a lower build is refused, the same and higher ones are not', async () => {
  await visit({ build: 41 })
  await visit({ build: 41 })
  const { message } = await refuses({ build: 40 })
  assert.is(message, 'ERR_SIGNEDIMP_ROLLBACK build 40 < 41, seen before; reload')
  await visit({ build: 100 })
  await refuses({ build: 99 })
})

test('only the highest is kept, as the document says', async () => {
  for (const build of [9, 41]) await visit({ build })
  assert.equal(noted(), [`signedimp ["${base}","shop"] ${ann.key.fingerprint} 41`])
})

test('without a build nothing can be compared', async () => {
  await refuses({})
  await visit({ build: 0 })
  await refuses({})
})

test('another app, and another folder, know nothing of it', async () => {
  await visit({ build: 41 })
  await visit({ build: 1, name: 'shop 9' })
  await visit({ build: 1, name: 'sho' })
  await visit({ build: 1, at: `${base}next/` })
  await refuses({ build: 40 })
  await refuses({ build: 0, name: 'shop 9' })
})

test('what a key has signed counts for who trusts it, and goes with it', async () => {
  await visit({ build: Number.MAX_SAFE_INTEGER })
  await refuses({ build: 42 })
  await refuses({ build: 42, trusted: [ann, bea], by: [bea] })
  await visit({ build: 42, trusted: [bea] })
  await refuses({ build: 41, trusted: [bea] })
})

test('a change of keys by way of both keeps the memory', async () => {
  await visit({ build: 41 })
  await refuses({ build: 40, trusted: [ann, bea] })
  await visit({ build: 42, trusted: [ann, bea] })
  await refuses({ build: 41, trusted: [bea] })
  await visit({ build: 43, trusted: [bea], by: [ann, bea] })
  await refuses({ build: 42, trusted: [ann, bea] })
})

test('a signature that is taken away lets nobody back below what another key has signed', async () => {
  const trusted = [ann, bea, cem]
  await visit({ build: 5, trusted, by: [ann, bea] })
  await visit({ build: 6, trusted, by: [cem] })
  await refuses({ build: 5, trusted, by: [ann] })
})

test('keys that are not trusted note nothing', async () => {
  await visit({ build: 41, trusted: [bea], by: [ann, bea] })
  await visit({ build: 1, trusted: [ann] })
})

test('two tabs at once: the higher build stays, whoever writes last', async () => {
  const [older, newer] = await Promise.all([boot({ build: 41 }), boot({ build: 42 })])
  const shared = new FakeStorage()
  const stale = new FakeStorage()
  // What the older page's process still sees is empty, and what it writes arrives after the newer one's.
  stale.setItem = (key, value) => shared.setItem(key, value)
  stale.removeItem = (key) => shared.removeItem(key)
  useStorage(shared)
  rememberBuild(newer, true)
  useStorage(stale)
  rememberBuild(older, true)
  useStorage(shared)
  await refuses({ build: 41 })
  await visit({ build: 42 })
  assert.is(noted().length, 1)
})

test('a higher build that another tab notes in between is not deleted', async () => {
  await visit({ build: 40 })
  const shared = localStorage as unknown as FakeStorage
  const older = await boot({ build: 41 })
  let times = 0
  useStorage(() => {
    if (++times === 2) shared.setItem(noted()[0]!.replace(/40$/, '42'), '')
    return shared
  })
  rememberBuild(older, true)
  useStorage(shared)
  await refuses({ build: 41 })
})

test('a note that is no number refuses', async () => {
  await visit({ build: 41 })
  localStorage.setItem(`signedimp ["${base}","shop"] ${ann.key.fingerprint} x`, '')
  await refuses({ build: 42 })
})

const full = new FakeStorage()
full.setItem = () => {
  throw new Error('QuotaExceededError')
}

for (const [what, storage] of Object.entries({
  'throws when it is asked for': () => {
    throw new Error('SecurityError')
  },
  'is not there': null,
  'is full': full,
}))
  test(`storage that ${what}: nothing starts, unless that was chosen`, async () => {
    useStorage(storage)
    const found = await boot({ build: 41 })
    const { message } = await throwsCode(
      () => rememberBuild(found, true),
      'ERR_SIGNEDIMP_NOT_ENFORCEABLE',
    )
    assert.match(message, 'no storage (remember: true)')
    rememberBuild(found, 'if-possible')
  })

test('where it is chosen to go on without storage, what is there still counts', async () => {
  await visit({ build: 41 })
  const found = await boot({ build: 40 })
  await throwsCode(() => rememberBuild(found, 'if-possible'), 'ERR_SIGNEDIMP_ROLLBACK')
})

test.run()
