import { readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createHash } from 'node:crypto'
import { generateKey } from '../../src/keys/generate.ts'
import { carrierOf, elementsOf } from '../emit/emitted.ts'
import { throwsCode } from '../support/throws.ts'
import { contentsOf, readFrom, writeInto } from '../tree/folder.ts'
import {
  app,
  folder,
  key,
  pageOf,
  publicKey,
  seal,
  sealDirectory,
  sealWith,
  start,
  unsealDirectory,
  verifyDirectory,
  type Files,
} from './sealed.ts'

const verify = (dir: string) => verifyDirectory(dir, [publicKey], { name: 'shop' })

const manifestIn = (dir: string) =>
  readFrom(
    dir,
    readdirSync(dir).find((name) => /^signedimp-manifest\.\w+\.txt$/.test(name))!,
  )

test('a sealed folder is signed, and its page starts through the bootstrap', async () => {
  const dir = await folder()
  const report = await seal(dir)
  // The app, two runtimes, and the record.
  assert.is((await verify(dir)).files, 5 + 2 + 1)
  const html = readFrom(dir, 'index.html')
  const { attributes } = carrierOf(html)!
  assert.equal([attributes['data-entry'], attributes['data-name']], ['assets%2Fmain.js', 'shop'])
  assert.equal(
    elementsOf(html).filter(({ attributes }) => attributes['type'] === 'module'),
    [],
  )
  assert.match(html, /<link integrity="sha256-[^"]+" rel="stylesheet"/)
  assert.match(readFrom(dir, 'assets/main.js'), '_simp')
  assert.equal([report.pages, report.modules, report.base], [['index.html'], 3, '/'])
  assert.equal([report.unchanged, report.oneTimeKey], [false, false])
  // What pages load, and not what takes the seal back.
  assert.not.match(manifestIn(dir), /seal\.json|index\.html/)
  assert.match(readFrom(dir, 'signedimp-manifest.txt'), ' signedimp-seal.json')
})

test('unsealing gives back each byte, and leaves nothing behind', async () => {
  const odd: Files = {
    'index.html': `\ufeff<!DOCTYPE html>\r\n<HTML>\r\n<SCRIPT type="module">\r\nimport "./assets/main.js"\r\n</SCRIPT>\r\n`,
    'deep/er/page.html': pageOf('<script type=module src=../../assets/main.js></script>'),
    'assets/main.js': `/* é */import"./dep.js";import.meta.env;export default()=>import("./lazy.js")`,
    'assets/empty.js': '',
    '.hidden/x.txt': 'x',
  }
  const dir = await folder(odd)
  const before = contentsOf(dir)
  await seal(dir, { unverified: ['assets/empty.js'] })
  await verify(dir)
  assert.not.equal(contentsOf(dir), before)
  const { restored, removed, verified } = await unsealDirectory(dir, { keys: [publicKey] })
  assert.equal(contentsOf(dir), before)
  assert.ok(verified && restored.includes('index.html'))
  assert.ok(removed.includes('signedimp-seal.json') && removed.includes('signedimp-manifest.txt'))
})

test('a folder that is sealed already stays as it is, byte for byte', async () => {
  const dir = await folder()
  const first = await seal(dir, { build: 3 })
  const before = contentsOf(dir)
  const again = await seal(dir, { build: 3 })
  assert.equal(contentsOf(dir), before)
  assert.equal(again, { ...first, unchanged: true })
})

test('the same folder, key and options give the same bytes, but for signatures', async () => {
  const [one, other] = [await folder(), await folder()]
  await seal(one)
  await seal(other)
  // Ed25519 has no chance in it.
  assert.equal(Object.values(contentsOf(one)), Object.values(contentsOf(other)))
})

for (const [what, change] of Object.entries({
  changed: (dir: string) => writeInto(dir, 'assets/lazy.js', 'export const text="other"'),
  missing: (dir: string) => rmSync(join(dir, 'assets/look.css')),
  unlisted: (dir: string) => writeInto(dir, 'assets/new.js', 'new'),
}))
  test(`a folder is not sealed again when something in it is ${what} since`, async () => {
    const dir = await folder()
    await seal(dir)
    change(dir)
    const before = contentsOf(dir)
    const { message } = await throwsCode(() => seal(dir), 'ERR_SIGNEDIMP_FILES')
    assert.match(message, `${what} (since the folder was sealed)`)
    assert.equal(contentsOf(dir), before)
  })

test('a folder is not sealed again in another way', async () => {
  const dir = await folder()
  await seal(dir)
  for (const [options, name] of [
    [{ build: 1 }, 'build'],
    [{ name: 'other' }, 'name'],
    [{ key: await generateKey('ed25519') }, 'keys'],
    [{ inline: 'all' }, 'inline'],
    [{ manifest: 'other.txt' }, 'manifest'],
    [{ workersFirst: true }, 'workersFirst'],
  ] as const) {
    const { message } = await throwsCode(() => seal(dir, options), 'ERR_SIGNEDIMP_OUTPUT')
    assert.match(message, `with another ${name};`)
  }
  const oneTime = () => sealDirectory(dir, { name: 'shop' })
  assert.match((await throwsCode(oneTime, 'ERR_SIGNEDIMP_OUTPUT')).message, 'one-time key')
})

test('without a key, a one-time key seals', async () => {
  const dir = await folder()
  const { oneTimeKey, publicKey: pem } = await sealDirectory(dir, { name: 'shop' })
  const { loadPublicKey } = (await import('../../dist/index.js' as string)) as never as {
    loadPublicKey(pem: string): Promise<typeof publicKey>
  }
  assert.ok(oneTimeKey)
  await verifyDirectory(dir, [await loadPublicKey(pem)])
  await throwsCode(() => verify(dir), 'ERR_SIGNEDIMP_SIGNATURE')
})

test('a key that is there and undefined is no wish for a one-time key', async () => {
  const dir = await folder()
  const before = contentsOf(dir)
  for (const given of [undefined, '', null]) {
    const error = await sealDirectory(dir, { key: given as never, name: 'shop' }).catch((e) => e)
    assert.instance(error, TypeError)
    assert.match(error.message, 'the key must be')
  }
  assert.equal(contentsOf(dir), before)
})

test('a wrong option is a TypeError that names it', async () => {
  const dir = await folder()
  for (const [name, value] of Object.entries({
    base: 'assets',
    dryRun: 1,
    progress: 1,
    html: 'later',
    mode: 'off',
    policy: 'self',
    server: true,
    threshold: 0,
    color: 'red',
  })) {
    const error = await sealDirectory(dir, { [name]: value } as never).catch((caught) => caught)
    assert.instance(error, TypeError, name)
    assert.match(error.message, `"${name}"`)
  }
})

test('a public key seals nothing', async () => {
  const { publicKeyPem } = await import('../../src/keys/public.ts')
  const error = await sealWith({}, { key: publicKeyPem(publicKey) }).catch((caught) => caught)
  assert.instance(error, TypeError)
  assert.match(error.message, '"key" must be a private key')
})

test('a dry run tells the same, and writes nothing', async () => {
  const dir = await folder()
  const before = contentsOf(dir)
  const dry = await seal(dir, { dryRun: true })
  assert.equal(contentsOf(dir), before)
  assert.equal(await seal(dir), { ...dry, dryRun: false })
})

// Where files are.

for (const [base, tag, title] of [
  ['', 'assets/main.js', 'relative references'],
  ['/', '/assets/main.js', 'references from the root'],
  ['/app/', '/app/assets/main.js', 'references from a folder'],
  ['https://cdn.example/x/', 'https://cdn.example/x/assets/main.js?v=1', 'another host'],
  ['//cdn.example/', '//cdn.example/assets/main.js', 'a host without a scheme'],
] as const)
  test(`the place of the files is found: ${title}`, async () => {
    const page = pageOf(start(tag.replace('?v=1', '')))
    const report = await sealWith({ 'index.html': page })
    assert.equal([report.base, report.sameOrigin], [base, !/^(https:)?\/\//.test(base)])
  })

test('pages that name several places are refused, unless one is given', async () => {
  const files = {
    'index.html': pageOf(start('/assets/main.js')),
    'other.html': pageOf(start('/app/assets/main.js')),
  }
  const { message } = await throwsCode(() => sealWith(files), 'ERR_SIGNEDIMP_OUTPUT')
  assert.match(message, 'other.html: names files below /app/, and index.html names some below /;')
  // What then is of another place is refused as such.
  const refused = await throwsCode(
    () => sealWith(files, { base: '/' }),
    'ERR_SIGNEDIMP_NOT_COVERED',
  )
  assert.match(refused.message, '/app/assets/main.js')
})

// What cannot be protected.

const uncovered: [title: string, files: Files, name: string][] = [
  ['a worker', { 'assets/worker.js': 'onmessage=()=>postMessage(1)' }, 'assets/worker.js'],
  [
    'a module that nothing imports',
    { 'assets/w.js': 'import"./dep.js";postMessage(1)' },
    'assets/w.js',
  ],
  ['a service worker', { 'sw.js': 'self.addEventListener("fetch",()=>{})' }, 'sw.js'],
  ['chunks of System.register', { 'assets/s.js': 'System.register([],()=>({}))' }, 'assets/s.js'],
  [
    'chunks of webpack for classic scripts',
    { 'assets/9.js': '(self.webpackChunk=self.webpackChunk||[]).push([[9],{}])' },
    'assets/9.js',
  ],
  [
    'the runtime of webpack in a classic script',
    {
      'index.html': pageOf(start('/assets/main.js'), '<script src="/runtime.js"></script>'),
      'runtime.js': '(self.webpackChunkapp=self.webpackChunkapp||[]).push=()=>{}',
    },
    '/runtime.js',
  ],
  [
    'a classic script that imports',
    {
      'index.html': pageOf(start('/assets/main.js'), '<script src="/c.js"></script>'),
      'c.js': 'import("/assets/lazy.js")',
    },
    '/c.js',
  ],
  [
    'a module of another host',
    { 'index.html': pageOf(start('/assets/main.js'), start('https://other.example/x.js')) },
    'https://other.example/x.js',
  ],
  [
    'an inline module that asks where it stands',
    {
      'index.html': pageOf(
        start('/assets/main.js'),
        '<script type="module">import.meta.url</script>',
      ),
    },
    '<script type="module"> sha256-',
  ],
  [
    'an event handler that imports',
    {
      'index.html': pageOf(start('/assets/main.js')).replace(
        '<body>',
        `<body><img src="x" onerror="import('/assets/lazy.js')">`,
      ),
    },
    '<img onerror> sha256-',
  ],
  [
    'an inline script that imports behind a comment as HTML has them',
    {
      'index.html': pageOf(
        start('/assets/main.js'),
        `<script>\n<!-- it's\nimport('/assets/lazy.js')</script>`,
      ),
    },
    '<script type=""> sha256-',
  ],
  ['a page without an extension', { about: pageOf(start('/assets/main.js')) }, 'about'],
  [
    'a script of XML under a prefix',
    { 'x.svg': '<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:script>1</s:script></s:svg>' },
    'x.svg',
  ],
  ['an image with a script', { 'x.svg': '<svg><script>1</script></svg>' }, 'x.svg'],
]

for (const [title, files, name] of uncovered)
  test(`refused by name: ${title}`, async () => {
    const dir = await folder(files)
    const before = contentsOf(dir)
    const { message } = await throwsCode(() => seal(dir), 'ERR_SIGNEDIMP_NOT_COVERED')
    assert.match(message, name)
    assert.equal(contentsOf(dir), before)
    if (name.startsWith('<')) return
    const { unverified } = await seal(dir, { unverified: [name] })
    assert.ok(unverified.some((item) => item.name === name))
    await verify(dir)
  })

test('a script that loads others is named once, however many pages have it', async () => {
  const page = pageOf(start('/assets/main.js'), '<script src="/runtime.js"></script>')
  const runtime = { 'runtime.js': '(self.webpackChunkapp=self.webpackChunkapp||[]).push=()=>{}' }
  const { message } = await throwsCode(
    () => sealWith({ 'index.html': page, 'other.html': page, ...runtime }),
    'ERR_SIGNEDIMP_NOT_COVERED',
  )
  assert.is(message.match(/\n  \/runtime\.js: /g)?.length, 1)
})

// React renders a whole page anew whose scripts are not those that it has written.
test('where an inline module stood, there stays a block of data', async () => {
  const module = '<script type="module" async>import "/assets/main.js"</script><p>behind</p>'
  const dir = await folder({ 'index.html': pageOf().replace('<body>', `<body>${module}`) })
  await seal(dir)
  assert.match(readFrom(dir, 'index.html'), '<script type="text/plain"></script><p>behind</p>')
})

test('an inline script that imports waits for a module that is checked', async () => {
  const script = '<script nonce="n">open(import("/assets/main.js"), "import(x)")</script>'
  const dir = await folder({ 'deep/index.html': pageOf(script), 'index.html': pageOf(script) })
  const { pages, added, modules } = await seal(dir)
  assert.equal(pages, ['deep/index.html', 'index.html'])
  // The app's, and one for each page.
  assert.is(modules, 3 + 2)
  for (const [page, reference] of [
    ['index.html', './assets/main.js'],
    ['deep/index.html', '../assets/main.js'],
  ] as const) {
    const html = readFrom(dir, page)
    assert.match(html, '<script nonce="n">open(__signedimpImport("/assets/main.js"), "import(x)")')
    assert.match(html, '<script nonce="n">var __signedimpImport=')
    const inline = decodeURIComponent(carrierOf(html)!.attributes['data-entry']!)
    assert.ok(added.includes(inline))
    assert.match(readFrom(dir, inline), `"/assets/main.js":()=>_simp_("${reference}")`)
  }
})

test('letters that are two in lower case change nothing of where scripts stand', async () => {
  const title = `<title>${'İ'.repeat(7)}</title>`
  const inline = `<script type="module">import '/assets/main.js'</script>`
  const classic = `<script>import('/assets/main.js')</script>`
  const dir = await folder({ 'index.html': pageOf(title, inline, classic) })
  await seal(dir)
  const html = readFrom(dir, 'index.html')
  assert.match(html, `<script>__signedimpImport('/assets/main.js')</script>`)
  assert.is(html.match(/<script\b/g)!.length, html.match(/<\/script>/g)!.length)
})

test('WebAssembly is listed for pages, which check it when they fetch it', async () => {
  const dir = await folder({ 'assets/x.wasm': '\0asm' })
  await seal(dir)
  await verify(dir)
  assert.match(manifestIn(dir), ' assets/x.wasm')
})

test('what is imported by a name that only the run tells may be any module', async () => {
  const files = {
    'assets/main.js': 'globalThis.load=(n)=>import(`./${n}.js`)\n',
    'assets/dep.js': 'export const a=import("./" + x)\n',
  }
  const dir = await folder(files)
  assert.is((await seal(dir)).modules, 3)
  // Its own import is checked too.
  assert.match(readFrom(dir, 'assets/dep.js'), '_simp')
})

test('a worker that a module names is checked, with what it imports', async () => {
  const worker = {
    'assets/main.js':
      'import"./dep.js";new Worker(new URL("./w.js",import.meta.url),{type:"module"})',
    'assets/w.js': 'import"./dep.js";import("./lazy.js")',
  }
  const dir = await folder(worker)
  // The app's, and the worker.
  assert.is((await seal(dir)).modules, 3 + 1)
  assert.match(readFrom(dir, 'assets/w.js'), '_simp')
  // But what is to run as it is stays as it is.
  const plain = await folder(worker)
  await seal(plain, { unverified: ['assets/w.js', 'assets/lazy.js'] })
  assert.is(readFrom(plain, 'assets/w.js'), worker['assets/w.js'])
})

test('but a module that nothing names is refused where some code starts workers', async () => {
  const main =
    'globalThis.load=(n)=>import(`./${n}.js`);new Worker(new URL("./dep.js",import.meta.url))'
  const { message } = await throwsCode(
    () => sealWith({ 'assets/main.js': main }),
    'ERR_SIGNEDIMP_NOT_COVERED',
  )
  // What starts as a worker has a name, and is checked as one.
  assert.match(message, '\n  assets/lazy.js: code')
  assert.not.match(message, '\n  assets/dep.js')
})

test('a folder whose pages start nothing is refused', async () => {
  const index = { 'index.html': pageOf('<p>') }
  const { message } = await throwsCode(
    () => sealDirectoryOf({ ...index, 'a.txt': 'a' }),
    'ERR_SIGNEDIMP_OUTPUT',
  )
  assert.match(message, 'no page of this folder starts an ES module')
})

/** Seals a folder without the app. */
async function sealDirectoryOf(files: Files) {
  const dir = await folder(files)
  rmSync(join(dir, 'assets'), { recursive: true })
  return seal(dir)
}

// What goes by bytes that sealing changes.

test('compressed copies of what sealing changes are refused; of what it does not, they stay', async () => {
  const dir = await folder()
  writeFileSync(join(dir, 'assets/look.css.gz'), gzipSync(app['assets/look.css']!))
  await seal(dir)
  await unsealDirectory(dir)
  for (const [name, copy] of [
    ['.gz', gzipSync],
    ['.br', brotliCompressSync],
  ] as const) {
    writeFileSync(join(dir, `assets/main.js${name}`), copy(app['assets/main.js']!))
    const { message } = await throwsCode(() => seal(dir), 'ERR_SIGNEDIMP_OUTPUT')
    assert.match(
      message,
      `assets/main.js${name}: is a compressed copy of a file that sealing changes`,
    )
    rmSync(join(dir, `assets/main.js${name}`))
  }
})

const sum = (type: string, encoding: 'hex' | 'base64', path: string): string =>
  createHash(type).update(app[path]!).digest(encoding)

for (const [title, list] of Object.entries({
  'a precache list of Workbox': `[{"revision":"${sum('md5', 'hex', 'index.html')}","url":"index.html"}]`,
  'a table of SHA-1': `{"/assets/main.js":"${sum('sha1', 'hex', 'assets/main.js')}"}`,
  'a list of integrity': `{"x":"sha384-${sum('sha384', 'base64', 'assets/lazy.js')}"}`,
  'SHA-256 in base64': `{"x":"sha256-${sum('sha256', 'base64', 'assets/dep.js')}"}`,
  'SHA-512 in base64': `{"x":"sha512-${sum('sha512', 'base64', 'assets/dep.js')}"}`,
}))
  test(`a list with hashes of what sealing changes is refused: ${title}`, async () => {
    const { message } = await throwsCode(
      () => sealWith({ 'list.json': list }),
      'ERR_SIGNEDIMP_OUTPUT',
    )
    assert.match(message, 'list.json: holds a hash of ')
  })

test('a list with hashes of what stays as it is does no harm', async () => {
  await sealWith({ 'list.json': `{"x":"${sum('sha256', 'hex', 'assets/look.css')}"}` })
})

test('integrity that the page has is that of the sealed files, or gone', async () => {
  const integrity = `sha384-${sum('sha384', 'base64', 'assets/main.js')}`
  const preload = `<link rel="preload" as="script" crossorigin href="/assets/lazy.js" integrity="${integrity}">`
  const style = `<link rel="stylesheet" href="/assets/look.css" integrity="${integrity}">`
  const module = `<script type="module" src="/assets/main.js" integrity="${integrity}"></script>`
  const modulePreload = `<link rel="modulepreload" href="/assets/dep.js" integrity="${integrity}">`
  const dir = await folder({ 'index.html': pageOf(preload, style, modulePreload, module) })
  await seal(dir)
  const html = readFrom(dir, 'index.html')
  assert.not.match(html, integrity)
  assert.match(html, /<link rel="preload" as="script" crossorigin href="\/assets\/lazy.js" *>/)
  assert.not.match(html, 'modulepreload')
})

// Policies in the page.

const meta = (policy: string): string =>
  `<meta http-equiv="Content-Security-Policy" content="${policy}">`

for (const policy of ["script-src 'self'", "default-src 'self'", "script-src 'nonce-other'"])
  test(`a page whose policy would not let it start is refused: ${policy}`, async () => {
    const page = pageOf(meta(policy), start('/assets/main.js'))
    const { message } = await throwsCode(
      () => sealWith({ 'index.html': page }),
      'ERR_SIGNEDIMP_OUTPUT',
    )
    const [hash] = /'sha256-[^']+'/.exec(message)!
    const allowed = pageOf(meta(`script-src ${hash} 'strict-dynamic'`), start('/assets/main.js'))
    assert.is(`'${(await sealWith({ 'index.html': allowed })).bootstrap.integrity}'`, hash)
  })

test('a page with a policy that lets it start is sealed', async () => {
  const script = '<script type="module" nonce="n" src="/assets/main.js"></script>'
  for (const policy of ["img-src 'self'", "script-src 'self' 'nonce-n'"])
    await sealWith({ 'index.html': pageOf(meta(policy), script) })
  const page = { 'index.html': pageOf(meta("script-src 'self'"), start('/assets/main.js')) }
  await sealWith(page, { inline: false, tags: true })
})

// Odd folders.

test('a page that is not UTF-8 is refused', async () => {
  const dir = await folder()
  writeFileSync(join(dir, 'other.html'), Buffer.from('<p>caf\xe9', 'latin1'))
  const { message } = await throwsCode(() => seal(dir), 'ERR_SIGNEDIMP_OUTPUT')
  assert.match(message, 'other.html: is not in UTF-8')
})

test('a link in the folder is refused', async () => {
  const dir = await folder()
  symlinkSync('dep.js', join(dir, 'assets/link.js'))
  const { message } = await throwsCode(() => seal(dir), 'ERR_SIGNEDIMP_PATH')
  assert.match(message, 'assets/link.js: is a symbolic link')
})

test('names that differ in letter case only are refused', async () => {
  await throwsCode(
    () => sealWith({ 'assets/DEP.css': '', 'assets/dep.css': '' }),
    'ERR_SIGNEDIMP_PATH',
  )
})

test('a name that a host could take for the record is refused', async () => {
  const { message } = await throwsCode(
    () => sealWith({ 'Signedimp-Seal.json': '{}' }),
    'ERR_SIGNEDIMP_PATH',
  )
  assert.match(message, 'signedimp-seal.json: is the same file as "Signedimp-Seal.json"')
})

test('a folder with the private key in it is refused', async () => {
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  await throwsCode(() => sealWith({ 'notes.txt': pem }), 'ERR_SIGNEDIMP_KEY_EXPOSED')
})

test('a folder that is signed already is refused', async () => {
  const { message } = await throwsCode(
    () => sealWith({ 'signedimp-manifest.txt': '' }),
    'ERR_SIGNEDIMP_OUTPUT',
  )
  assert.match(message, 'the folder was signed already')
})

test('a page that starts through a bootstrap already is refused', async () => {
  const page = pageOf(
    '<script data-manifest="x" data-runtime="y"></script>',
    start('/assets/main.js'),
  )
  const { message } = await throwsCode(
    () => sealWith({ 'index.html': page }),
    'ERR_SIGNEDIMP_OUTPUT',
  )
  assert.match(message, 'starts through a bootstrap already')
})

test('a file that changes while the folder is read is refused', async () => {
  const dir = await folder()
  const signer = {
    publicKey: publicKey,
    sign: () => {
      writeInto(dir, 'assets/late.txt', 'late')
      throw new Error('never seen')
    },
  }
  const { message } = await throwsCode(() => seal(dir, { key: signer }), 'ERR_SIGNEDIMP_LATE_WRITE')
  assert.match(message, 'assets/late.txt: changed while the folder was read')
  assert.not.ok(readdirSync(dir).includes('signedimp-seal.json'))
})

test('what was written is read from the disk again, and verified', async () => {
  const dir = await folder()
  let hashed = 0
  const change = () => {
    hashed++
    writeInto(dir, 'assets/late.txt', 'late')
  }
  const { message } = await throwsCode(
    () => seal(dir, { progress: change }),
    'ERR_SIGNEDIMP_LATE_WRITE',
  )
  assert.match(message, 'assets/late.txt')
  assert.ok(hashed > 0)
})

test.run()
