import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { integrityOf } from '../support/map-app.ts'
import { throwsCode } from '../support/throws.ts'
import type { Bundled, EmitOptions } from './emitted.ts'
import { carrierOf, chunk, elementsOf, emit, entry } from './emitted.ts'

// Import maps that a page has of its own, and external modules.

const far = 'https://far.example/'
const hash = integrityOf('far')
const listed = { external: { [`${far}a.js`]: hash } }

const publicFiles = {
  'lib/a.js': 'a',
  'lib/b.mjs': 'b',
  'lib/sub/c.js': 'c',
  'lib/data.json': '{}',
  'lib/page.css': 'd',
}

const scripts = Object.keys(publicFiles).filter((path) => path.endsWith('js'))

interface Page {
  /** Import maps: their texts, or what these say. */
  maps?: (string | object)[]
  /** Code of the main chunk. */
  code?: string
  /** Behind the module script. */
  behind?: string
  files?: Bundled
  options?: EmitOptions
}

const tagOf = (map: string | object) =>
  `<script type="importmap">${typeof map === 'string' ? map : JSON.stringify(map)}</script>`

async function build({ maps = [], code = '', behind = '', files = {}, options = {} }: Page) {
  const module = '<script type="module" src="/assets/index.js"></script>'
  const html = `<!doctype html><meta charset="utf-8">${maps.map(tagOf).join('\n')}${module}${behind}`
  const app = { 'assets/index.js': entry(code), 'index.html': html, ...files }
  // Public scripts are covered only where a map or `unverified` names them.
  const emitted = await emit(app, { publicFiles, unverified: scripts, ...options })
  const text = emitted.text('index.html')
  const map = carrierOf(text)!.attributes['data-map']
  return { ...emitted, html: text, map: map === undefined ? undefined : JSON.parse(map) }
}

const covered = { options: { unverified: [] } }

test('maps go, and what they say becomes part of the bootstrap', async () => {
  const { html, map } = await build({
    maps: [{ imports: { a: './lib/a.js' } }, { imports: { b: '/lib/b.mjs', no: null } }],
  })
  assert.not.ok(elementsOf(html).some(({ attributes }) => attributes['type'] === 'importmap'))
  assert.equal(map, {
    imports: { a: '/lib/a.js#', b: '/lib/b.mjs#', no: null },
    integrity: {},
  })
})

test('a page without any has nothing to say', async () => {
  assert.is((await build({})).map, undefined)
  assert.is((await build({ maps: [{}] })).map, undefined)
})

for (const inline of [true, false, 'all'] as const)
  test(`the bootstrap's tag has it, with inline: ${inline}`, async () => {
    const maps = [{ imports: { a: '/lib/a.js' } }]
    const { map } = await build({ maps, options: { inline, unverified: scripts } })
    assert.equal(map.imports, { a: '/lib/a.js#' })
  })

test("the bootstrap's bytes are the same", async () => {
  const [one, other] = [await build({}), await build({ maps: [{ imports: { a: '/lib/a.js' } }] })]
  assert.is(carrierOf(one.html)!.text, carrierOf(other.html)!.text)
})

test('a folder becomes the names of what is in it, and means nothing else', async () => {
  const imports = { 'l/': './lib/', 'l/sub/': './lib/sub/', 'l/a.js': './lib/b.mjs' }
  const { map } = await build({ maps: [{ imports }] })
  assert.equal(map.imports, {
    'l/': 'data:,/',
    'l/b.mjs': '/lib/b.mjs#',
    'l/data.json': '/lib/data.json#',
    'l/sub/': 'data:,/',
    'l/sub/c.js': '/lib/sub/c.js#',
    'l/a.js': '/lib/b.mjs#',
  })
})

test('what a map means is checked, and need not be named in unverified', async () => {
  const maps = [{ imports: { 'l/': './lib/' } }]
  await build({ maps, ...covered })
  const imports = { a: './lib/a.js', b: './lib/b.mjs', './lib/sub/c.js': './lib/sub/c.js' }
  await build({ maps: [{ imports }], ...covered })
  await throwsCode(() => build({ ...covered }), 'ERR_SIGNEDIMP_NOT_COVERED')
})

test('scopes keep their addresses; those of files and external modules get the salt', async () => {
  const names = { x: '/lib/a.js' }
  const scopes = { './lib/': names, './lib/b.mjs': names, [far]: names, [`${far}a.js`]: names }
  const { map } = await build({ maps: [{ scopes }], options: listed })
  assert.equal(Object.keys(map.scopes), ['./lib/', '/lib/b.mjs#', far, `${far}a.js#`])
  assert.equal(map.scopes['./lib/'], { x: '/lib/a.js#' })
})

test('an external module with a hash can be imported by its name, and by its URL', async () => {
  const maps = [{ imports: { far: `${far}a.js` }, integrity: { [`${far}a.js`]: hash } }]
  const { map } = await build({ maps, code: `import 'far'; import '${far}a.js'` })
  assert.equal(map, {
    imports: { far: `${far}a.js#`, [`${far}a.js`]: `${far}a.js#` },
    integrity: { [`${far}a.js#`]: hash },
  })
})

test('the option says the same for every page', async () => {
  const { map } = await build({ code: `import '${far}a.js'`, options: listed })
  assert.equal(map, {
    imports: { [`${far}a.js`]: `${far}a.js#` },
    integrity: { [`${far}a.js#`]: hash },
  })
})

test('without a hash it is refused, unless it is accepted by name: then it has none', async () => {
  const ways: Record<string, Page> = {
    [`"far" means`]: { maps: [{ imports: { far: `${far}b.js` } }] },
    'assets/index.js imports': { code: `import '${far}b.js'` },
  }
  for (const [who, page] of Object.entries(ways)) {
    const error = await throwsCode(() => build(page), 'ERR_SIGNEDIMP_NOT_COVERED')
    assert.match(error.message, `\n  ${far}b.js: an external module without a hash, which ${who}`)
    const unverified = [`${far}b.js`, ...scripts]
    const { map } = await build({ ...page, options: { unverified } })
    assert.is(map.imports[`${far}b.js`], `${far}b.js`)
    assert.equal(map.integrity, {})
  }
})

test('what is loaded later by a URL is allowed only where it is listed or accepted', async () => {
  const code = `import('${far}b.js')`
  assert.is((await build({ code })).map, undefined)
  const unverified = [`${far}b.js`, ...scripts]
  const { map } = await build({ code, options: { unverified } })
  assert.equal(map.imports, { [`${far}b.js`]: `${far}b.js` })
})

test('a static import that only a page gives a meaning is noted as a circle', async () => {
  const { manifest } = await build({
    maps: [{ imports: { a: './lib/a.js' } }],
    code: `import 'a'`,
  })
  assert.equal(
    [...manifest.imports],
    [['assets/index.js', [{ start: 8, end: 9, path: 'assets/index.js' }]]],
  )
})

// Refused.

const own = { './assets/index.js': './lib/a.js' }
const maps: Record<string, [map: string | object, message: string]> = {
  'no JSON': ['{', 'it is no JSON'],
  nothing: ['', 'it is no JSON'],
  'an array': ['[]', 'the map is no object'],
  'null as a map': ['null', 'the map is no object'],
  'an unknown part': [{ import: {} }, '"import" is no part of one'],
  'a part of no prototype': ['{"__proto__":{}}', '"__proto__" is no part of one'],
  'imports that are no object': [{ imports: [] }, '"imports" is no object'],
  'scopes that are no object': [{ scopes: 'x' }, '"scopes" is no object'],
  'a scope that is no object': [{ scopes: { '/': null } }, 'the scope "/" is no object'],
  'integrity that is no object': [{ integrity: null }, '"integrity" is no object'],
  'integrity that is no text': [{ integrity: { a: 1 } }, 'the integrity of "a" is no text'],
  'an address that is no text': [{ imports: { a: 1 } }, '"a" means 1, which is no address'],
  'an address that is a name': [
    { imports: { a: 'lib/a.js' } },
    'is no URL and does not begin with',
  ],
  'an empty address': [{ imports: { a: '' } }, 'is no URL and does not begin with'],
  'an empty name': [{ imports: { '': '/lib/a.js' } }, '"" is no name'],
  'a name with the sign for the salt': [{ imports: { 'a#': '/lib/a.js' } }, '"a#" is no name'],
  'what is not there': [{ imports: { a: '/lib/none.js' } }, 'is no file of this build'],
  'a query': [{ imports: { a: '/lib/a.js?b' } }, 'is no file of this build'],
  'a fragment': [{ imports: { a: '/lib/a.js#b' } }, 'is no file of this build'],
  'no module': [{ imports: { a: '/lib/page.css' } }, 'must end in .js, .mjs or .json'],
  'a text in a URL': [{ imports: { a: 'data:text/javascript,1' } }, 'which is not https'],
  'an insecure URL': [{ imports: { a: 'http://far.example/a.js' } }, 'which is not https'],
  'a URL with a user': [{ imports: { a: 'https://me@far.example/a.js' } }, 'which has a user name'],
  'a URL with a fragment': [{ imports: { a: `${far}a.js#` } }, 'which has a fragment'],
  'a folder that is a file': [{ imports: { 'a/': '/lib/a.js' } }, 'which is no folder'],
  'a folder of nothing': [{ imports: { 'a/': '/none/' } }, 'a folder of which nothing is known'],
  'a folder elsewhere': [{ imports: { 'a/': far } }, 'a folder of which nothing is known'],
  'a folder that means nothing': [
    { imports: { 'a/': null } },
    'means nothing; say so of whole names',
  ],
  'a file of the build sent elsewhere': [{ imports: own }, 'it sends assets/index.js'],
  'a file of the build sent to nothing': [{ imports: { '/lib/a.js': null } }, 'it sends lib/a.js'],
  'a folder of the build': [{ imports: { '/assets/': '/lib/' } }, '"/assets/" is no file'],
  'all http URLs': [{ imports: { 'https://': 'https://' } }, '"https://" is no URL'],
  'all http URLs, otherwise': [{ imports: { 'https:/': far } }, '"https:/" is no URL'],
  'a text in the place of another': [
    { imports: { 'data:x': '/lib/a.js' } },
    '"data:x" is not https',
  ],
  'a blob': [{ imports: { 'blob:x': '/lib/a.js' } }, '"blob:x" is not https'],
  'a file of the build in a scope': [{ scopes: { '/': own } }, 'it sends assets/index.js'],
  'a URL in a scope': [
    { scopes: { '/': { [`${far}x.js`]: '/lib/a.js' } } },
    'its scope "/" gives another meaning to the URL',
  ],
  'a scope that is a name': [{ scopes: { lib: {} } }, 'the scope "lib" is no address'],
  'a scope with a fragment': [{ scopes: { '/lib/#': {} } }, 'the scope "/lib/#" is no address'],
  'two spellings of a scope': [
    { scopes: { '/lib/a.js': {}, './lib/a.js': {} } },
    'two of its scopes are one',
  ],
  'empty integrity': [{ integrity: { [`${far}a.js`]: '' } }, 'which browsers do not all obey'],
  'integrity of another kind': [
    { integrity: { [`${far}a.js`]: 'md5-AAAA' } },
    'which browsers do not all obey',
  ],
  'integrity of half a hash': [
    { integrity: { [`${far}a.js`]: 'sha256-!!!' } },
    'which browsers do not all obey',
  ],
  'integrity with something else': [
    { integrity: { [`${far}a.js`]: `${hash} sha512-` } },
    'which browsers do not all obey',
  ],
  'integrity of what is not there': [
    { integrity: { '/none.js': hash } },
    'it has integrity for "/none.js"',
  ],
  'integrity over http': [{ integrity: { 'http://far.example/a.js': hash } }, 'which is not https'],
  "another file's integrity": [
    { integrity: { '/lib/a.js': integrityOf('b', 'sha256') } },
    'is not that of the file in this build',
  ],
  'integrity of a file, of another kind': [
    { integrity: { '/lib/a.js': integrityOf('a', 'sha512') } },
    "of another kind than the manifest's (sha256)",
  ],
}

for (const [what, [map, message]] of Object.entries(maps))
  test(`refused: ${what}`, async () => {
    const error = await throwsCode(() => build({ maps: [map] }), 'ERR_SIGNEDIMP_OUTPUT')
    assert.match(
      error.message,
      "index.html: has an import map that cannot become part of the page's: ",
    )
    assert.match(error.message, message)
  })

test("a file's own integrity is taken, for it is ours", async () => {
  const integrity = { '/lib/a.js': `${integrityOf('a', 'sha256')} ${integrityOf('x', 'sha512')}` }
  assert.is((await build({ maps: [{ integrity }] })).map, undefined)
})

for (const [what, page, message] of [
  [
    'two maps that disagree',
    { maps: [{ imports: { a: '/lib/a.js' } }, { imports: { a: null } }] },
    'it says two things of "a"',
  ],
  [
    'a map that disagrees with the option',
    { maps: [{ integrity: { [`${far}a.js`]: integrityOf('x') } }], options: listed },
    'is another one in the option "external"',
  ],
  [
    'a listed URL that means another',
    { maps: [{ imports: { [`${far}a.js`]: '/lib/a.js' } }], options: listed },
    'it says two things of',
  ],
  ['a map behind the module script', { behind: tagOf({}) }, 'it stands behind a module script'],
  [
    'a map in a file',
    {
      maps: [],
      behind: '',
      files: {
        'index.html':
          '<script type="importmap" src="/map.json"></script><script type="module" src="/assets/index.js"></script>',
      },
    },
    'it is a file of its own ("src")',
  ],
  [
    'a name without a meaning',
    { code: 'import "x"' },
    'imports "x", which is no module of this build and means nothing to index.html',
  ],
  [
    'a name that means nothing',
    { maps: [{ imports: { x: null } }], code: 'import "x"' },
    'imports "x", which is no module',
  ],
  [
    'a name of a folder that is not in it',
    { maps: [{ imports: { 'l/': '/lib/' } }], code: 'import "l/x.js"' },
    'imports "l/x.js", which is no module',
  ],
  [
    'a name by which scopes mean another',
    {
      maps: [{ imports: { x: '/lib/a.js' }, scopes: { '/lib/': { x: '/lib/b.mjs' } } }],
      code: 'import "x"',
    },
    'which a redirect could turn from /lib/a.js into /lib/b.mjs',
  ],
  ['a module of node', { code: 'import "node:fs"' }, 'imports "node:fs", which is no module'],
] as [string, Page, string][])
  test(`refused: ${what}`, async () => {
    const error = await throwsCode(() => build(page), 'ERR_SIGNEDIMP_OUTPUT')
    assert.match(error.message, message)
  })

test('every page that can load a chunk must give its imports a meaning', async () => {
  const module = '<script type="module" src="/assets/second.js"></script>'
  const second = (head: string) => ({
    'assets/second.js': entry('import("./shared.js")'),
    'assets/shared.js': chunk('import "x"'),
    'second.html': `<!doctype html>${head}${module}`,
  })
  const maps = [{ imports: { x: '/lib/a.js' } }]
  const code = 'import "./shared.js"'
  await build({ maps, code, files: second(tagOf(maps[0]!)) })
  const error = await throwsCode(
    () => build({ maps, code, files: second('') }),
    'ERR_SIGNEDIMP_OUTPUT',
  )
  assert.match(
    error.message,
    /^ERR_SIGNEDIMP_OUTPUT assets\/shared\.js: .* means nothing to second\.html;/,
  )
  // A page whose modules never load it need not.
  const other = { ...second(''), 'assets/second.js': entry('') }
  await build({ maps, code, files: other })
  // One that imports what only its run tells may load everything.
  const open = { ...second(''), 'assets/second.js': entry('import(globalThis.x)') }
  await throwsCode(() => build({ maps, code, files: open }), 'ERR_SIGNEDIMP_OUTPUT')
})

for (const specifier of ['x', `${far}a.js`])
  test(`entries of their own run nothing external: ${specifier}`, async () => {
    const maps = [{ imports: { x: '/lib/a.js' } }]
    const files = { 'alone.js': entry('') }
    const error = await throwsCode(
      () => build({ maps, files, code: `import "${specifier}"`, options: listed }),
      'ERR_SIGNEDIMP_OUTPUT',
    )
    assert.match(
      error.message,
      `imports "${specifier}", which is no module of this build; in a build with entries`,
    )
  })

test('what no page loads may import nothing external either', async () => {
  const files = { 'assets/left.js': chunk('import "x"') }
  await throwsCode(() => build({ files }), 'ERR_SIGNEDIMP_OUTPUT')
})

test('a page that starts nothing keeps its map, which nothing checks', async () => {
  const files = { 'other.html': tagOf({ imports: { a: '/lib/a.js' } }) }
  const error = await throwsCode(() => build({ files }), 'ERR_SIGNEDIMP_NOT_COVERED')
  assert.match(error.message, 'an import map of a page that starts nothing of this build')
})

test('external URLs below the base are a mistake', async () => {
  const options = { key: await generateKey('ed25519'), base: far, ...listed }
  const error = await build({ options }).then(
    () => new Error('nothing was refused'),
    (refused: Error) => refused,
  )
  assert.instance(error, TypeError)
  assert.match(error.message, `"external" must be free of URLs below "base"; ${far}a.js is one`)
})

test.run()
