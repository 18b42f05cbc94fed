import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashBytes } from '../../src/crypto/node.ts'
import { createBootstrap, createModuleBootstrap } from '../../src/emit/bootstrap.ts'
import type { Release } from '../../src/emit/release.ts'
import { startLater, type LaterRelease } from '../../src/emit/later.ts'
import { generateKey } from '../../src/keys/generate.ts'
import { loadSigner } from '../../src/keys/private.ts'
import type { Entry } from '../../src/manifest/linking.ts'
import { throwsCode } from '../support/throws.ts'

// Pages of an output that is signed already, where the command line cannot make such outputs.

const signer = await loadSigner(await generateKey('ed25519'))
const page = {
  bootstrap: '__SIGNEDIMP_PINNED__',
  runtime: 'runtime()',
  module: 'const e=__SIGNEDIMP_ENTRY__,p=__SIGNEDIMP_PINNED__,m=1;export{m as __signedimpMain};',
  late: 'late()',
  blob: 'blob()',
  tags: 'tags()',
  workers: '',
  fetch: 'fetch(__SIGNEDIMP_GUARDED__)',
  pure: false,
}
const release: LaterRelease = {
  signer,
  keys: [signer.key],
  threshold: 1,
  manifestName: 'm.txt',
  inline: true,
  policy: 'strict-dynamic',
  unverified: [],
  page,
}
const { runtime, blob } = createBootstrap(page, release.keys, 1)
const html = '<!doctype html><script type="module" src="main.js"></script>'

/** What becomes of a page that starts an entry, beside other files. */
function start(entry: Partial<Entry> = {}, others: Record<string, string> = {}) {
  const said: Entry = {
    path: 'main.js',
    base: '',
    name: 'shop',
    manifest: 'm.0123456789abcdef.txt',
    main: 'mai_.js',
    blob: blob.fileName,
    preload: [],
    ...entry,
  }
  const texts = new Map(
    Object.entries({
      'main.js': createModuleBootstrap(release as unknown as Release, said, []),
      'mai_.js': 'app()',
      ...others,
    }),
  )
  const files = new Map([...texts].map(([path, text]) => [path, hashBytes('sha256', text)]))
  const main = { hash: 'sha256', name: 'shop', imports: new Map(), files } as const
  const listed = { ...main, files: new Map([['mai_.js', files.get('mai_.js')!]]) }
  const pages = new Map([['m.0123456789abcdef.txt', listed]])
  const folder = { main, pages, place: '/', read: (path: string) => texts.get(path)! }
  return startLater('index.html', html, folder, release)
}

const refusalOf = async (...args: Parameters<typeof start>): Promise<string> =>
  (await throwsCode(() => start(...args), 'ERR_SIGNEDIMP_OUTPUT')).message

test('an entry that fits is started', async () => {
  const { entries, files, manifest } = await start()
  assert.equal(entries, ['main.js'])
  assert.equal([...files.keys()], [runtime.fileName, blob.fileName, manifest])
})

test('an entry that links with another runtime than this version has is refused', async () => {
  const message = await refusalOf({ blob: 'signedimp-blob-0123456789abcdef.js' })
  assert.match(message, 'main.js: is of another version of signedimp')
})

test('an entry whose page manifest is gone is refused', async () => {
  const message = await refusalOf({ manifest: 'm.ffffffffffffffff.txt' })
  assert.match(message, 'main.js: names m.ffffffffffffffff.txt, which is not there')
})

test('a file of the app that has a name of ours is refused, unless it is ours', async () => {
  const message = await refusalOf({}, { [runtime.fileName]: 'evil()' })
  assert.match(message, `${runtime.fileName}: has a name that signedimp needs`)
  await start({}, { [runtime.fileName]: runtime.code })
})

test.run()
