import * as assert from 'uvu/assert'
import { createGraph } from '../../src/emit/graph.ts'
import { pathToUrl } from '../../src/manifest/path.ts'
import { emit, entry } from '../emit/emitted.ts'
import { attack, attacks } from '../support/attack.ts'
import { throwsCode } from '../support/throws.ts'

const references = [
  '/a.js?v=2',
  '/a.js?',
  '/a.js;x',
  '/a.js/',
  '/a.js%3Fv=2',
  '/a.js%23x',
  '/A.js',
  '/a.js%00',
  '/a.js\\',
]

attack(
  24,
  'a listed file under another URL',
  { variants: references, quick: true },
  async (reference) => {
    const output = new Map([['a.js', { path: 'a.js', isModule: true, isEntry: true }]])
    assert.is(createGraph(output, '/').resolve('index.html', reference), undefined)
    const html = `<script type="module" src="${reference}"></script>`
    const error = await throwsCode(
      () => emit({ 'a.js': entry('1'), 'index.html': html }),
      'ERR_SIGNEDIMP_NOT_COVERED',
    )
    return `refused ${error.code}`
  },
)

attack(24, 'files whose names look like queries', { quick: true }, () => {
  const names = ['a.js', 'a.js?v=2', 'a.js#x', 'a.js;x', 'a.js%3fv=2']
  const urls = names.map((name) => pathToUrl(name, 'https://host/'))
  assert.is(new Set(urls).size, names.length)
  for (const url of urls) assert.equal([new URL(url).search, new URL(url).hash], ['', ''])
  return 'ok each has a URL of its own, without a query'
})

attacks.run()
