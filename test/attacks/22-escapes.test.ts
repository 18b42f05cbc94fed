import * as assert from 'uvu/assert'
import { createGraph } from '../../src/emit/graph.ts'
import { pathToUrl } from '../../src/manifest/path.ts'
import { attack, attacks } from '../support/attack.ts'
import { file, newPublisher, signed, textOf, verdict } from './signed.ts'

const paths = [
  '%2e%2e%2fx.js',
  '%2e%2e/x.js',
  '%2E%2e/x.js',
  'a%2Fb.js',
  'a%2fb.js',
  '%252e%252e/x.js',
  'a%5cb.js',
  '%00.js',
  'a%.js',
  '%zz.js',
  '%c0%ae/x.js',
]

attack(22, 'escapes in paths', { variants: paths, quick: true }, async (path) => {
  const publisher = await newPublisher()
  const bytes = await signed(textOf({ files: [file(path)] }), publisher)
  assert.is(await verdict(bytes, { keys: [publisher.key] }), 'ok accepted')
  // The URL is that of a file whose name has these signs, and is below the base.
  const base = 'https://host/app/'
  const url = pathToUrl(path, base)
  assert.ok(url.startsWith(base) && new URL(url).href === url)
  assert.is(new URL(url).pathname.slice('/app/'.length).replaceAll('%25', '%'), path)
  // What the escapes would mean is not listed by it.
  const output = new Map([[path, { path, isModule: false, isEntry: false }]])
  for (const reference of [path, '/' + path, decoded(path)])
    assert.is(createGraph(output, '/').resolve('index.html', reference), undefined, reference)
  return 'ok a path is never decoded'
})

const decoded = (path: string): string =>
  path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))

attacks.run()
