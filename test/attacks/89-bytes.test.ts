import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { check, attackedVites, type ViteName } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { atEnd, buildByEsbuild } from '../support/esbuild.ts'
import { buildFixture } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { newPublisher } from './signed.ts'

// Bytes that are no UTF-8, that look like UTF-16, that start with a mark, that hold line breaks of every kind.
const kinds: Record<string, Buffer> = {
  'all bytes': Buffer.from(Array.from({ length: 256 }, (_, n) => n)),
  'UTF-16': Buffer.from('\ufeffhello', 'utf16le'),
  'a UTF-8 mark': Buffer.from('\ufeffhello'),
  'half a character': Buffer.from([0xf0, 0x9f, 0x98]),
  'line breaks': Buffer.from('a\r\nb\rc\nd\u2028e'),
  nothing: Buffer.alloc(0),
}

attack(89, 'assets that are no text', { variants: attackedVites }, async (variant) => {
  const { privateKey } = await newPublisher()
  const vite = variant as ViteName
  const names = Object.keys(kinds).map((_, at) => `file${at}.bin`)
  const source = names.map((name, at) => `import u${at} from "./${name}?url"`).join('\n')
  const asStrings = {
    name: 'strings',
    generateBundle(this: unknown) {
      ;(this as { emitFile(file: object): void }).emitFile({
        type: 'asset',
        fileName: 'text.txt',
        source: '\u00fc\ud83d\ude00\r\n',
      })
    },
  }
  const plain = await buildFixture(
    { 'index.html': '<script type="module" src="/src/main.js"></script>', 'src/main.js': '' },
    { vite },
  )
  const root = dirname(plain)
  for (const [at, bytes] of Object.values(kinds).entries()) {
    writeFileSync(join(root, 'src', names[at]!), bytes)
  }
  writeFileSync(
    join(root, 'src/main.js'),
    `${source}\nconsole.log(${names.map((_, at) => `u${at}`)})`,
  )
  const { build } = (await import(vite)) as typeof import('vite')
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [asStrings, signedImp(privateKey)] as never,
    build: {
      outDir: plain,
      assetsInlineLimit: 0,
      rollupOptions: { output: { assetFileNames: '[name][extname]' } },
    },
  })
  const { main } = await check(plain, privateKey)
  for (const [at, bytes] of Object.values(kinds).entries())
    if (main.files.has(names[at]!))
      assert.equal(readFileSync(join(plain, names[at]!)), bytes, Object.keys(kinds)[at])
  assert.ok(names.filter((name) => main.files.has(name)).length >= 5)
  assert.equal(readFileSync(join(plain, 'text.txt')), Buffer.from('\u00fc\ud83d\ude00\r\n'))
  return 'ok they are written and hashed byte for byte'
})

/** Ways in which a file gets into the output of esbuild as it is. */
const ways = ['loaded as a file', 'copied as an entry point', 'put there by a plugin']

attack(89, 'assets of esbuild that are no text', { variants: ways }, async (way) => {
  const { privateKey } = await newPublisher()
  const root = scratchFolder()
  const names = Object.keys(kinds).map((_, at) => `file${at}.bin`)
  const put = (folder: string) => {
    mkdirSync(join(root, folder), { recursive: true })
    for (const [at, bytes] of Object.values(kinds).entries())
      writeFileSync(join(root, folder, names[at]!), bytes)
  }
  put('src')
  const uses = `${names.map((name, at) => `import u${at} from "./${name}"`).join('\n')}
console.log(${names.map((_, at) => `u${at}`)})`
  const isCopied = way.startsWith('copied')
  const entries = ['src/main.js', ...(isCopied ? names.map((name) => `src/${name}`) : [])]
  const { dir } = await buildByEsbuild(
    {
      'index.html': '<script type="module" src="/src/main.js"></script>',
      'src/main.js': way.startsWith('loaded') ? uses : '',
    },
    {
      root,
      key: privateKey,
      before: way.startsWith('put') ? [atEnd(() => put('dist'))] : [],
      config: {
        entryPoints: entries,
        assetNames: '[name]',
        loader: { '.bin': isCopied ? 'copy' : 'file' },
      },
    },
  )
  const { main: manifest } = await check(dir, privateKey)
  for (const [at, bytes] of Object.values(kinds).entries()) {
    assert.ok(manifest.files.has(names[at]!))
    assert.equal(readFileSync(join(dir, names[at]!)), bytes, Object.keys(kinds)[at])
  }
  return 'ok they are written and hashed byte for byte'
})

attacks.run()
