import * as assert from 'uvu/assert'
import { carrierOf, chunk, elementsOf, emit, entry } from '../emit/emitted.ts'
import { attack, attacks } from '../support/attack.ts'

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

attacks.run()
