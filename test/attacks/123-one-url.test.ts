import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { codeOf, outcomeOf } from '../bundlers/built.ts'
import { pathToUrl } from '../../src/manifest/path.ts'
import { emit } from '../emit/emitted.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildFixture } from '../support/fixture.ts'
import { throwsCode } from '../support/throws.ts'
import { newPublisher } from './signed.ts'

attack(123, 'names that a URL could mean both of', { quick: true }, async () => {
  const names = [
    '[id].js',
    '%5bid%5d.js',
    'a b.js',
    'a%20b.js',
    'a%2520b.js',
    'caf\u00e9.txt',
    'caf%c3%a9.txt',
    'a;b.txt',
    'a%3bb.txt',
    '+.txt',
    '%2b.txt',
  ]
  const { manifest } = await emit(Object.fromEntries(names.map((name) => [name, ''])), {
    unverified: names,
  })
  const urls = [...manifest.files.keys()].map((path) => pathToUrl(path, 'https://host/'))
  assert.is(new Set(urls).size, urls.length)
  for (const name of names) assert.ok(manifest.files.has(name))
  return 'ok each has a URL of its own'
})

attack(
  123,
  'two files with one URL',
  { variants: ['a.txt', 'a/b.txt'], quick: true },
  async (name) => {
    const error = await throwsCode(
      () => emit({ [name]: '', [`${name} `]: '' }),
      'ERR_SIGNEDIMP_PATH',
    )
    return `refused ${error.code}`
  },
)

attack(
  123,
  'files that fold into one on other hosts',
  { variants: ['bundled', 'public', 'beside'] },
  async (variant) => {
    const { privateKey } = await newPublisher()
    const html = '<script type="module" src="/src/main.js"></script>'
    const assets = {
      name: 'assets',
      generateBundle(this: unknown) {
        for (const fileName of ['Logo.txt', 'logo.txt'])
          (this as { emitFile(file: object): void }).emitFile({
            type: 'asset',
            fileName,
            source: fileName,
          })
      },
    }
    const more: Record<string, string> = {
      bundled: '',
      public: 'public/Logo.txt public/logo.txt',
      beside: 'dist/Logo.txt dist/logo.txt',
    }
    const named = Object.fromEntries(
      more[variant]!.split(' ')
        .filter(Boolean)
        .map((name) => [name, name]),
    )
    const building = buildFixture(
      { 'index.html': html, 'src/main.js': '1', ...named },
      {
        plugins: [...(variant === 'bundled' ? [assets] : []), signedImp(privateKey)],
        config: { logLevel: 'silent', build: { emptyOutDir: false } },
      },
    )
    const error = await outcomeOf(building)
    assert.match(codeOf(error)!, /^ERR_SIGNEDIMP_(PATH|FILES)$/)
    return `refused ${codeOf(error)}`
  },
)

attacks.run()
