import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { carrierOf, chunk, elementsOf, emit, entry } from '../emit/emitted.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildByEsbuild } from '../support/esbuild.ts'

const html =
  '<!doctype html><head><meta charset="utf-8"><script type="module" src="/assets/index.js"></script></head><body><p>end'
const names = [
  'a</script><script>evil()<',
  'a<!--<script>',
  '"onload="evil()',
  "'>",
  'a&quot;b',
  '<svg onload=evil()>',
  ']]>',
]
const variants = names.flatMap((name) =>
  [true, false, 'all'].map((inline) => `${name}, inline: ${inline}`),
)

attack(
  91,
  'a way out of a page, by the name of a file',
  { variants, quick: true },
  async (variant) => {
    const [name, mode] = variant.split(', inline: ') as [string, string]
    const inline = { true: true, false: false, all: 'all' }[mode] as true
    const files = {
      'index.html': html,
      [`${name}.txt`]: '',
      [`assets/${name}.js`]: chunk('export {}'),
      'assets/index.js': entry(`import ${JSON.stringify(`./${name.replaceAll('%', '%25')}.js`)}`),
    }
    const outcome = await emit(files, { inline }).catch((error: Error & { code: string }) => error)
    if (outcome instanceof Error) {
      assert.is(mode, 'all', outcome.message)
      assert.match(outcome.code, /^ERR_SIGNEDIMP_(PATH|OUTPUT)$/)
      return `refused ${outcome.code}`
    }
    const text = outcome.text('index.html')
    const elements = elementsOf(text)
    assert.equal(
      elements.filter(({ name: tag }) => tag === 'script').length,
      elements.some(({ attributes }) => 'data-signedimp' in attributes) ? 2 : 1,
    )
    assert.equal(
      elements.filter(({ name: tag }) => !/^(html|head|meta|link|script|body|p)$/.test(tag)),
      [],
    )
    assert.equal(
      elements.filter(({ attributes }) =>
        Object.keys(attributes).some((key) => key.startsWith('on')),
      ),
      [],
    )
    assert.is(elements.at(-1)!.text, 'end')
    assert.ok(carrierOf(text))
    return 'ok it stays a name'
  },
)

// esbuild replaces most of these in names of chunks, but not in names that it is told.
attack(
  91,
  'a way out of a page, by the name of an entry of esbuild',
  { variants: names },
  async (name) => {
    const path = name.replaceAll('/', '')
    const { dir } = await buildByEsbuild(
      { 'index.html': html.replace('/assets/index.js', '/src/main.js'), 'src/main.js': 'run()' },
      {
        key: await generateKey('ed25519'),
        config: { entryPoints: [{ in: 'src/main.js', out: `assets/${path}` }] },
      },
    )
    const elements = elementsOf(readFileSync(join(dir, 'index.html'), 'utf8'))
    assert.ok(elements.filter(({ name: tag }) => tag === 'script').length === 1)
    assert.equal(
      elements.filter(({ name: tag }) => !/^(html|head|meta|link|script|body|p)$/.test(tag)),
      [],
    )
    assert.is(elements.at(-1)!.text, 'end')
    return 'ok it stays a name'
  },
)

attacks.run()
