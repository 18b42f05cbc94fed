import { createHash, createPublicKey } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { throwsCode } from '../support/throws.ts'
import {
  carrierOf,
  chunk,
  elementsOf,
  emit,
  entry,
  type Bundled,
  type EmitOptions,
} from './emitted.ts'

const app: Bundled = {
  'assets/index.js': entry('import "./vendor.js"; import("./lazy.js")'),
  'assets/vendor.js': chunk('export {}'),
  'assets/lazy.js': chunk('export {}'),
  'assets/index.css': 'a{}',
}
const tag = '<script type="module" crossorigin src="/assets/index.js"></script>'
const page = (head: string, body = '') =>
  `<!doctype html>\n<html>\n<head>\n<meta charset="utf-8">\n${head}\n</head>\n<body>${body}</body>\n</html>\n`

/** A page of the app after the plugin saw it. */
async function rewrite(html: string, options: EmitOptions = {}, more: Bundled = {}) {
  const emitted = await emit({ ...app, ...more, 'index.html': html }, options)
  const text = emitted.text('index.html')
  return { ...emitted, html: text, elements: elementsOf(text), carrier: carrierOf(text) }
}

const refused = async (html: string, options: EmitOptions = {}, more: Bundled = {}) =>
  throwsCode(() => rewrite(html, options, more), 'ERR_SIGNEDIMP_NOT_COVERED')

const sri = (bytes: Uint8Array | string, type = 'sha256') =>
  `${type}-${createHash(type).update(bytes).digest('base64')}`

const linksOf = (elements: ReturnType<typeof elementsOf>, rel: string) =>
  elements.filter(({ name, attributes }) => name === 'link' && attributes['rel'] === rel)

// The bootstrap's tags.

test('the module tag becomes the bootstrap, which names what to start', async () => {
  const { elements, carrier, manifestPath } = await rewrite(page(tag))
  assert.is(elements.filter(({ attributes }) => attributes['type'] === 'module').length, 0)
  assert.is(elements.filter(({ name }) => name === 'script').length, 1)
  const { attributes, text, name } = carrier!
  assert.is(name, 'script')
  assert.is(attributes['data-manifest'], `/${manifestPath}`)
  assert.is(attributes['data-entry'], 'assets%2Findex.js')
  assert.is(attributes['data-name'], 'shop')
  assert.is(attributes['data-build'], undefined)
  assert.is(attributes['crossorigin'], '')
  assert.match(text, 'fingerprint:"')
})

test('the build is named where there is one', async () => {
  const { carrier } = await rewrite(page(tag), { build: 41 })
  assert.is(carrier!.attributes['data-build'], '41')
})

test('what the page needs first is preloaded: as the map will ask for it', async () => {
  const { elements, files, manifestPath } = await rewrite(page(tag))
  const preloads = linksOf(elements, 'preload').map(({ attributes }) => attributes)
  const [manifest, ...scripts] = preloads
  assert.equal([manifest!['as'], manifest!['href']], ['fetch', `/${manifestPath}`])
  const hrefs = scripts.map(({ href }) => href!.slice(1))
  assert.equal(
    hrefs.filter((path) => path.startsWith('assets/')),
    ['assets/index.js', 'assets/vendor.js'],
  )
  for (const [at, attributes] of scripts.entries()) {
    assert.is(attributes['as'], 'script')
    assert.is(attributes['integrity'], sri(files.get(hrefs[at]!)!))
  }
  assert.ok(preloads.every((attributes) => attributes['crossorigin'] === ''))
})

test('the bootstrap comes before whatever loads, and after its own preloads', async () => {
  const { elements } = await rewrite(
    page(`<link rel="stylesheet" href="/assets/index.css">\n<script>var a</script>\n${tag}`),
  )
  const loading = elements.filter(({ name }) => name === 'script' || name === 'link')
  const at = loading.findIndex(({ attributes }) => 'data-manifest' in attributes)
  assert.ok(loading.slice(0, at).every(({ attributes }) => attributes['rel'] === 'preload'))
  assert.is(loading.length - at, 3)
})

test('the hash of an inline bootstrap is that of its text, and the same for every page and release', async () => {
  const texts = [
    (await rewrite(page(tag))).carrier!.text,
    (await rewrite(page(tag), { build: 2, base: '/app/' }).catch(() => undefined))?.carrier?.text,
    (await rewrite(page(tag, '<p>'), { name: 'shop', expires: '2099-01-01' })).carrier!.text,
  ].filter((text) => text !== undefined)
  assert.is(new Set(texts.map((text) => sri(text))).size, 1)
})

test('inline: false links one file with integrity, deferred', async () => {
  const { carrier, files, manifest } = await rewrite(page(tag), { inline: false })
  const { attributes, text } = carrier!
  assert.is(text, '')
  assert.is(attributes['defer'], '')
  const path = attributes['src']!.slice(1)
  assert.match(path, /^signedimp-[0-9a-f]{16}\.js$/)
  assert.is(attributes['integrity'], sri(files.get(path)!))
  assert.ok(manifest.files.has(path))
})

test("inline: 'all' carries the signed manifest just before the bootstrap, byte for byte", async () => {
  const { elements, manifestText } = await rewrite(page(tag), { inline: 'all' })
  const scripts = elements.filter(({ name }) => name === 'script')
  assert.equal(scripts[0]!.attributes, { type: 'text/plain', 'data-signedimp': '' })
  assert.is(scripts[0]!.text, manifestText)
  assert.ok('data-manifest' in scripts[1]!.attributes)
  assert.is(
    linksOf(elements, 'preload').filter(({ attributes }) => attributes['as'] === 'fetch').length,
    0,
  )
})

const carried = async (files: Bundled, options: object) => {
  const { elements } = await rewrite(page(tag), { inline: false, ...options }, files)
  const isText = elements.some(({ attributes }) => 'data-signedimp' in attributes)
  const isAsked = linksOf(elements, 'preload').some(
    ({ attributes }) => attributes['as'] === 'fetch',
  )
  assert.is(isText, !isAsked)
  return isText
}

test('beside a linked bootstrap stands the signed manifest, if it is whole, small and no markup', async () => {
  const second = createPublicKey(await generateKey('ed25519'))
  const many = (count: number) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`assets/${at}.js`, chunk(`export default ${at}`)]),
    )
  assert.is(await carried({}, {}), true)
  assert.is(await carried({}, { threshold: 2, keys: [second] }), false)
  assert.is(await carried({ 'assets/é.js': chunk('export default 1') }, {}), false)
  assert.is(await carried(many(300), {}), true)
  assert.is(await carried(many(500), {}), false)
  assert.is(await carried({ 'assets/<!--.js': chunk('export default 1') }, {}), false)
})

test('no attribute of a tag swallows its integrity, or stands in for it', async () => {
  const more = { 'app.js': 'let a' }
  for (const odd of [
    'src=/app.js nonce=',
    'src=/app.js integrity="" integrity=""',
    'INTEGRITY=sha256-x src=/app.js',
    'integrity src=/app.js',
  ]) {
    const { elements } = await rewrite(page(`${tag}<script ${odd}></script>`), {}, more)
    const script = elements.find(({ attributes }) => attributes['src'] === '/app.js')
    assert.is(script!.attributes['integrity'], sri('let a'), odd)
  }
})

test('a link to the page itself is none to a stylesheet', async () => {
  for (const href of ['', '?a', '/index.html'])
    assert.ok((await rewrite(page(`<link rel=stylesheet href="${href}">${tag}`))).carrier)
})

test('what a page links with a query is checked as well', async () => {
  const more = { 'app.css': 'a{}', 'app.js': 'let a', 'assets/index.js': entry('1') }
  const links = '<link rel=stylesheet href="/app.css?v=2"><script src="/app.js?v=2#a"></script>'
  const { elements, manifest } = await rewrite(page(tag + links), { unverified: [] }, more)
  const checked = elements.filter(({ attributes: { href, src } }) => /\?v=2/.test(`${href}${src}`))
  assert.equal(
    checked.map(({ attributes }) => attributes['integrity']),
    [sri('a{}'), sri('let a')],
  )
  assert.ok(manifest.files.has('app.js'))
})

for (const inline of [true, false, 'all'] as const)
  test(`a nonce is on everything that we add, inline: ${inline}`, async () => {
    const { elements } = await rewrite(page(tag.replace(' cross', ' nonce="r4nd0m" cross')), {
      inline,
    })
    const added = elements.filter(
      ({ name, attributes }) =>
        (name === 'script' && attributes['type'] !== 'text/plain') ||
        attributes['rel'] === 'preload',
    )
    assert.ok(added.length >= 3)
    for (const { attributes } of added) assert.is(attributes['nonce'], 'r4nd0m')
  })

test('the nonce of a page that has one for scripts only in a meta tag is taken from there', async () => {
  const meta = '<meta property="csp-nonce" nonce="r4nd0m">'
  const { carrier } = await rewrite(page(meta + tag))
  assert.is(carrier!.attributes['nonce'], 'r4nd0m')
})

test('credentials are asked for as the page did', async () => {
  const { elements, carrier } = await rewrite(
    page(tag.replace('crossorigin', 'crossorigin="use-credentials"')),
  )
  assert.is(carrier!.attributes['crossorigin'], 'use-credentials')
  for (const { attributes } of linksOf(elements, 'preload'))
    assert.is(attributes['crossorigin'], 'use-credentials')
})

test('several entries start in their order, through one bootstrap', async () => {
  const more = { 'assets/b.js': entry('import "./vendor.js"') }
  const html = page(tag, '<script type="module" src="/assets/b.js"></script>')
  const { elements, carrier } = await rewrite(html, {}, more)
  assert.is(carrier!.attributes['data-entry'], 'assets%2Findex.js assets%2Fb.js')
  assert.is(elements.filter(({ name }) => name === 'script').length, 1)
  const paths = linksOf(elements, 'preload').map(({ attributes }) => attributes['href'])
  assert.is(paths.filter((path) => path === '/assets/vendor.js').length, 1)
  assert.ok(paths.includes('/assets/b.js'))
})

test('a page without modules is left alone', async () => {
  const html = page('<style>a{}</style><link rel="icon" href="/a.svg">', '<p>nothing to see')
  const { text } = await emit({ 'a.svg': '<svg/>', 'index.html': html })
  assert.is(text('index.html'), html)
})

// Where it stands.

for (const [what, head] of Object.entries({
  'a charset before': `<meta charset="utf-8"><title>x</title>${tag}`,
  'a charset behind': `${tag}<meta charset="utf-8"><title>x</title>`,
  'a charset behind a stylesheet': `<link rel=stylesheet href=/assets/index.css>${tag}<meta charset=utf-8>`,
  'a charset in http-equiv': `${tag}<meta http-equiv="Content-Type" content="text/html; charset=utf-8">`,
}))
  test(`the page's charset comes first, within 1024 bytes: ${what}`, async () => {
    const { html } = await rewrite(`<!doctype html><html><head>${head}</head></html>`)
    const at = html.search(/charset/)
    assert.ok(at > 0 && at < html.indexOf('data-manifest') && at < 1024, `at ${at}`)
  })

for (const [what, html] of Object.entries({
  'no doctype, no head': tag,
  'no head': `<!doctype html><body>${tag}</body>`,
  'the end of the body': `<!doctype html><head><title>x</title></head><body><p>x</p>${tag}</body>`,
  capitals: `<!DOCTYPE HTML><HTML><HEAD>${tag.replace('<script', '<SCRIPT').replace('type', 'TYPE').replace('</script', '</SCRIPT')}</HEAD></HTML>`,
  'single quotes': `<head>${tag.replaceAll('"', "'")}</head>`,
  'no quotes': '<head><script type=module src=/assets/index.js></script></head>',
  'spaces and line breaks':
    '<head><script\n  type = "module"\r\n\tsrc = " /assets/index.js "\n></script ></head>',
  'a relative path': '<head><script type=module src=./assets/index.js></script></head>',
  'a path without a dot': '<head><script type=module src=assets/index.js></script></head>',
  'an escaped attribute':
    '<head><script type="&#109;odule" src="/assets&#47;index.js"></script></head>',
  'text that looks like tags before': `<head><!-- <script type="module" src="/x.js"></script> --><title><script></title>${tag}</head>`,
}))
  test(`a module tag is found: ${what}`, async () => {
    const { carrier, elements } = await rewrite(html)
    assert.is(carrier?.attributes['data-entry'], 'assets%2Findex.js')
    assert.equal(
      elements.filter(({ attributes }) => /module/.test(attributes['type'] ?? '')),
      [],
    )
  })

for (const [what, before] of Object.entries({
  'a template': '<template><script>var a</script></template>',
  'a template with a charset': '<template><meta charset="utf-8"></template>',
  'a comment': '<!-- <script>var a</script> -->',
  'an inline frame without scripts': '<iframe srcdoc="<p>x"></iframe>',
}))
  test(`the bootstrap does not end up in ${what}`, async () => {
    const { carrier } = await rewrite(
      `<!doctype html><html><head></head><body>${before}${tag}</body></html>`,
    )
    assert.ok(carrier)
    assert.equal(
      carrier.within.filter((name) => name === 'template'),
      [],
    )
  })

test('the bootstrap does not end up in a template because of a script there that was accepted', async () => {
  const foreign = '<template><script src="https://x.example/a.js"></script></template>'
  const html = `<!doctype html><html><head>${foreign}${tag}</head></html>`
  const { carrier } = await rewrite(html, { unverified: ['https://x.example/a.js'] })
  assert.equal(carrier!.within, ['head', 'html'])
})

test('a module tag in a template does not start', async () => {
  const { carrier } = await rewrite(
    page(tag, '<template><script type="module" src="/assets/lazy.js"></script></template>'),
  ).catch((error: { code: string }) => {
    assert.is(error.code, 'ERR_SIGNEDIMP_NOT_COVERED')
    return { carrier: undefined }
  })
  if (carrier) assert.is(carrier.attributes['data-entry'], 'assets%2Findex.js')
})

test('line breaks stay as they are: CRLF', async () => {
  const html = page(`<link rel="stylesheet" href="/assets/index.css">\n${tag}`).replaceAll(
    '\n',
    '\r\n',
  )
  const { html: after } = await rewrite(html)
  const rest = after
    .replace(/<link rel="preload"[^]*<\/script>\n/, '')
    .replace(/ integrity="[^"]*"/, '')
  assert.is(rest, html.replace(tag + '\r\n', ''))
})

test('everything that is not ours stays, byte for byte', async () => {
  const html = page(
    `<title>ü &amp; 😀</title>\n<meta name=x content='"'>\n${tag}`,
    '<p onclick="x()">\u00a0</p><svg><path d="M0"/></svg><!-- c -->',
  )
  const { html: after } = await rewrite(html)
  assert.is(after.replace(/<link rel="preload"[^]*<\/script>\n/, ''), html.replace(tag + '\n', ''))
})

// Where files are, by base and folder of the page.

for (const [base, path, prefix] of [
  ['/', 'index.html', '/'],
  ['/', 'de/index.html', '/'],
  ['/app/', 'index.html', '/app/'],
  ['./', 'index.html', './'],
  ['./', 'de/index.html', '../'],
  ['./', 'de/at/index.html', '../../'],
  ['https://cdn.example/app/', 'index.html', 'https://cdn.example/app/'],
] as const)
  test(`${path} at ${base} refers to files as ${prefix}…`, async () => {
    const src = `${prefix}assets/index.js`
    const html = page(`<script type="module" src="${src}"></script>`)
    const emitted = await emit({ ...app, [path]: html }, { base })
    const elements = elementsOf(emitted.text(path))
    const carrier = carrierOf(emitted.text(path))!
    assert.is(carrier.attributes['data-manifest'], prefix + emitted.manifestPath)
    for (const { attributes } of linksOf(elements, 'preload'))
      assert.ok(attributes['href']!.startsWith(prefix))
  })

// Stylesheets.

test('stylesheets of the build get the integrity of their bytes', async () => {
  const { elements, files } = await rewrite(
    page(`<link rel="stylesheet" href="/assets/index.css">${tag}`),
  )
  assert.is(
    linksOf(elements, 'stylesheet')[0]!.attributes['integrity'],
    sri(files.get('assets/index.css')!),
  )
})

for (const [what, link] of Object.entries({
  'no quotes': '<link rel=stylesheet href=/assets/index.css>',
  'a slash at the end': '<link rel="stylesheet" href="/assets/index.css" />',
  'a slash without a space': '<link rel="stylesheet" href="/assets/index.css"/>',
  'an unquoted value before the slash': '<link href="/assets/index.css" rel=stylesheet />',
  capitals: '<LINK REL="StyleSheet" HREF="/assets/index.css">',
  'a shadow root':
    '<div><template shadowrootmode="open"><link rel="stylesheet" href="/assets/index.css"></template></div>',
  'two relations': '<link rel="preload stylesheet" as="style" href="/assets/index.css">',
  'an attribute with a bracket': '<link title=">" rel="stylesheet" href="/assets/index.css">',
}))
  test(`a stylesheet gets integrity: ${what}`, async () => {
    const { elements, files } = await rewrite(page(link + tag))
    const [found] = elements.filter(({ attributes }) => /stylesheet/i.test(attributes['rel'] ?? ''))
    assert.is(found!.attributes['integrity'], sri(files.get('assets/index.css')!))
    assert.is(found!.attributes['href'], '/assets/index.css')
  })

test('the hash type of the build is that of integrity', async () => {
  const { elements, files } = await rewrite(
    page(`<link rel="stylesheet" href="/assets/index.css">${tag}`),
    { hash: 'sha512' },
  )
  assert.is(
    linksOf(elements, 'stylesheet')[0]!.attributes['integrity'],
    sri(files.get('assets/index.css')!, 'sha512'),
  )
})

test('on another origin integrity needs crossorigin, which is added, once', async () => {
  const base = 'https://cdn.example/'
  const { elements } = await rewrite(
    page(
      `<link rel="stylesheet" href="${base}assets/index.css"><link rel="stylesheet" crossorigin="use-credentials" href="${base}assets/index.css"><script type=module src="${base}assets/index.js"></script>`,
    ),
    { base },
  )
  assert.equal(
    linksOf(elements, 'stylesheet').map(({ attributes }) => attributes['crossorigin']),
    ['', 'use-credentials'],
  )
})

test('a stylesheet of somebody else stays as it is', async () => {
  const link = '<link rel="stylesheet" href="https://fonts.example/a.css">'
  assert.match((await rewrite(page(link + tag))).html, link)
})

// Integrity that is there already.

const ignored = [
  '',
  ' ',
  'md5-1B2M2Y8AsgTpgAmY7PhCfg==',
  'sha256-!!!',
  'sha256-',
  'foo',
  'SHA1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
]

for (const value of ignored) {
  test(`integrity="${value}" on a stylesheet of the build, which browsers ignore, does not stay`, async () => {
    const { elements, files } = await rewrite(
      page(`<link rel="stylesheet" integrity="${value}" href="/assets/index.css">${tag}`),
    )
    assert.is(
      linksOf(elements, 'stylesheet')[0]!.attributes['integrity'],
      sri(files.get('assets/index.css')!),
    )
  })

  test(`integrity="${value}" on a script of somebody else, which browsers ignore, is none`, async () => {
    const error = await refused(
      page(`<script src="https://x.example/a.js" integrity="${value}"></script>${tag}`),
    )
    assert.match(error.message, 'https://x.example/a.js')
  })
}

test('integrity of other bytes on a script of the build does not stay', async () => {
  const wrong = sri('other')
  const { html, files } = await rewrite(
    page(`<script integrity="${wrong}" src="/old.js"></script>${tag}`),
    {},
    { 'old.js': 'var a' },
  )
  assert.not.match(html, wrong)
  assert.match(html, sri(files.get('old.js')!))
})

// Classic scripts.

test('a classic script of the build gets integrity, and counts as checked', async () => {
  const { elements, files } = await rewrite(
    page(`<script src="/old.js"></script>${tag}`),
    {},
    { 'old.js': 'var a' },
  )
  const [old] = elements.filter(({ attributes }) => attributes['src'] === '/old.js')
  assert.is(old!.attributes['integrity'], sri(files.get('old.js')!))
})

test('so does one for browsers without modules', async () => {
  const { elements } = await rewrite(
    page(`${tag}<script nomodule src="/old.js"></script>`),
    {},
    { 'old.js': 'var a' },
  )
  assert.ok(elements.some(({ attributes }) => 'nomodule' in attributes && attributes['integrity']))
})

test('a script of somebody else with integrity stays', async () => {
  const foreign = `<script src="https://x.example/a.js" integrity="${sri('a', 'sha384')}" crossorigin></script>`
  assert.match((await rewrite(page(foreign + tag))).html, foreign)
})

test('inline classic scripts stay: they are the page', async () => {
  const { html } = await rewrite(page(`<script>var theme = 1</script>${tag}`))
  assert.match(html, '<script>var theme = 1</script>')
})

for (const type of [
  'text/template',
  'application/json',
  'application/ld+json',
  'speculationrules',
  'text/javascript; charset=utf-8',
])
  test(`a block of data stays: ${type}`, async () => {
    const block = `<script type="${type}">{"a":1}</script>`
    assert.match((await rewrite(page(block + tag))).html, block)
  })

// What nothing would check.

const uncovered: Record<string, [html: string, name: string]> = {
  'a module of the build as a classic script': [
    '<script defer src="/assets/index.js"></script>',
    '/assets/index.js',
  ],
  'a classic script of somebody else': [
    '<script src="https://x.example/a.js"></script>',
    'https://x.example/a.js',
  ],
  'a classic script with another type': [
    '<script type="TEXT/JavaScript" src="https://x.example/a.js"></script>',
    'https://x.example/a.js',
  ],
  'a classic script with an old type': [
    '<script type="text/x-ecmascript" src="https://x.example/a.js"></script>',
    'https://x.example/a.js',
  ],
  'a classic script with an old version': [
    '<script type="text/javascript1.5" src="https://x.example/a.js"></script>',
    'https://x.example/a.js',
  ],
  'a classic script with an empty type': [
    '<script type="" src="https://x.example/a.js"></script>',
    'https://x.example/a.js',
  ],
  'a script without a scheme': [
    '<script src="//x.example/assets/index.js"></script>',
    '//x.example/assets/index.js',
  ],
  'a script with backslashes': [
    '<script src="\\\\x.example/assets/index.js"></script>',
    '\\\\x.example/assets/index.js',
  ],
  'a script in a data URL': [
    '<script src="data:text/javascript,1"></script>',
    'data:text/javascript,1',
  ],
  'a module of somebody else': [
    '<script type="module" src="https://x.example/a.js"></script>',
    'https://x.example/a.js',
  ],
  'a module of somebody else with integrity': [
    `<script type="module" src="https://x.example/a.js" integrity="${sri('a')}"></script>`,
    'https://x.example/a.js',
  ],
  'a module with a query': [
    '<script type="module" src="/assets/index.js?v=2"></script>',
    '/assets/index.js?v=2',
  ],
  'a module under another spelling, which is another URL': [
    '<script type="module" src="/assets/%69ndex.js"></script>',
    '/assets/%69ndex.js',
  ],
  'a module that the build does not have': [
    '<script type="module" src="/missing.js"></script>',
    '/missing.js',
  ],
  'a module that is a file of the public folder': [
    '<script type="module" src="/old.js"></script>',
    '/old.js',
  ],
  'an inline module': [
    '<script type="module">import("/assets/index.js")</script>',
    'import("/assets/index.js")',
  ],
  'an inline module in capitals': [
    '<script TYPE=" MODULE ">import("/assets/index.js")</script>',
    'import("/assets/index.js")',
  ],
  'an import map in a template': [
    '<template><script type="importmap">{"imports":{}}</script></template>',
    '<script type="importmap"> sha256-',
  ],
  'an import map in a drawing': [
    '<svg><script type="importmap">{"imports":{}}</script></svg>',
    '<script type="importmap"> sha256-',
  ],
  'a modulepreload of somebody else': [
    '<link rel="modulepreload" href="https://x.example/a.js">',
    'https://x.example/a.js',
  ],
  'a script of an inline drawing': [
    '<svg><script href="https://x.example/a.js"></script></svg>',
    'https://x.example/a.js',
  ],
  'a script of an inline drawing, the old way': [
    '<svg><script xlink:href="/evil.js"></script></svg>',
    '/evil.js',
  ],
  'a module in an inline frame': [
    '<iframe srcdoc="<script type=module src=/assets/lazy.js></script>"></iframe>',
    '<iframe srcdoc> sha256-',
  ],
  'a script in an inline frame': [
    '<iframe srcdoc="<script src=https://x.example/a.js></script>"></iframe>',
    '<iframe srcdoc> sha256-',
  ],
  'an integrity in capitals, which Chromium and Firefox ignore': [
    `<script src=https://x.example/a.js integrity=SHA256-${'A'.repeat(43)}=></script>`,
    'https://x.example/a.js',
  ],
  'an integrity behind a space that is none in HTML': [
    `<script src=https://x.example/a.js integrity="x\u00a0sha256-${'A'.repeat(43)}="></script>`,
    'https://x.example/a.js',
  ],
  'a frame in a select, which browsers read differently': [
    '<select><iframe srcdoc="<script>1</script>"></iframe></select>',
    '<select>',
  ],
}

for (const [what, [html, name]] of Object.entries(uncovered))
  for (const where of ['head', 'body'] as const)
    test(`refused: ${what}, in the ${where}, naming it`, async () => {
      const error = await refused(
        where === 'head' ? page(html + tag) : page(tag, html),
        {},
        name === '/old.js' ? { 'old.js': 'var a' } : {},
      )
      assert.match(error.message, name)
    })

test('what is refused is accepted by the name in the message', async () => {
  const error = await refused(page(`<script src="https://x.example/a.js"></script>${tag}`))
  const [, name] = /unverified: \['(.*)'\]/.exec(error.message)!
  const { html } = await rewrite(page(`<script src="https://x.example/a.js"></script>${tag}`), {
    unverified: [name!],
  })
  assert.match(html, '<script src="https://x.example/a.js"></script>')
})

test('accepting one inline module does not accept another', async () => {
  const first = '<script type="module">a()</script>'
  const [, name] = /unverified: \['(.*)'\]/.exec((await refused(page(first + tag))).message)!
  await rewrite(page(first + tag), { unverified: [name!] })
  await refused(page(first + '<script type="module">evil()</script>' + tag), {
    unverified: [name!],
  })
})

// Preloads of modules would put unchecked modules into the page before the map.
test('modulepreloads of the build go', async () => {
  const { html } = await rewrite(
    page(
      `<link rel="modulepreload" crossorigin href="/assets/vendor.js">\n<link REL="ModulePreload" href="/assets/lazy.js">\n${tag}`,
    ),
  )
  assert.not.match(html, /modulepreload"/i)
})

// Breaking out.

const hostile = [
  '"><script>evil()</script>',
  "'onload='evil()",
  '</script><script>evil()</script>',
  '<!--<script>',
  '&quot;&lt;&amp;lt;',
  'ü😀&#34;',
]

for (const name of hostile)
  for (const inline of [true, false, 'all'] as const)
    test(`the name ${name} is no way out of an attribute or a script, inline: ${inline}`, async () => {
      const outcome = await emitNamed(name, inline)
      if (outcome instanceof Error) return assert.match(outcome.message, /name|</)
      const { elements, text } = outcome
      assert.is(
        elements.filter((element) => element.name === 'script').length,
        elements.some(({ attributes }) => 'data-signedimp' in attributes) ? 2 : 1,
      )
      assert.is(carrierOf(text)!.attributes['data-name'], name)
      assert.not.match(text, 'evil()</script>\n<script')
    })

/** The page of an app with a hostile name; only `inline: 'all'` may refuse the name instead. */
async function emitNamed(name: string, inline: boolean | 'all') {
  const { signedImp } = await import('signedimp')
  const { key } = await import('./emitted.ts')
  const bundle: Record<
    string,
    {
      type: string
      fileName: string
      code?: string
      source?: string | Uint8Array
      isEntry?: boolean
    }
  > = {
    'assets/index.js': { type: 'chunk', fileName: 'assets/index.js', code: '1', isEntry: true },
    'index.html': { type: 'asset', fileName: 'index.html', source: page(tag) },
  }
  try {
    const plugin = signedImp(key, { name, inline })
    const emitFile = () => ''
    await plugin.generateBundle.handler.call(
      { emitFile, warn() {} },
      { format: 'es' },
      bundle,
      false,
    )
  } catch (error) {
    if (inline !== 'all') throw error
    return error as Error
  }
  const text = String(bundle['index.html']!.source)
  return { text, elements: elementsOf(text) }
}

for (const path of ['a</script><script>evil()<', 'a<!--<script>', 'a"b&c\'d', 'a<b>c'])
  for (const inline of [true, 'all'] as const)
    test(`a file named ${path} is no way out of the page, inline: ${inline}`, async () => {
      const files = { [`${path}.txt`]: 'x' }
      const outcome = await rewrite(page(tag), { inline }, files).catch((error: Error) => error)
      if (outcome instanceof Error) {
        assert.is(inline, 'all')
        assert.match((outcome as Error & { code: string }).code, /^ERR_SIGNEDIMP_(PATH|OUTPUT)$/)
        return
      }
      const scripts = outcome.elements.filter(({ name }) => name === 'script')
      assert.is(scripts.length, inline === 'all' ? 2 : 1)
      if (inline === 'all') assert.is(scripts[0]!.text, outcome.manifestText)
      assert.ok(outcome.carrier)
    })

test('entries with hostile names are named in ASCII', async () => {
  const names = [
    'assets/ü 😀.js',
    'assets/a"b.js',
    'assets/a&b.js',
    'assets/[id].js',
    'assets/a%20b#?.js',
  ]
  for (const path of names) {
    const url =
      '/' +
      path
        .replace(/[%#?]/g, encodeURIComponent)
        .replaceAll('"', '&quot;')
        .replaceAll('&b', '&amp;b')
    const emitted = await emit({
      [path]: entry('1'),
      'index.html': `<head><script type="module" src="${url}"></script></head>`,
    })
    const text = emitted.text('index.html')
    assert.match(text.replace(/<script [^>]*>/, ''), /^[\0-\x7f]*$/)
    const { attributes } = carrierOf(text)!
    assert.is(decodeURIComponent(attributes['data-entry']!), path)
    assert.match(attributes['data-entry']!, /^[\w%.~!*'()-]+$/)
    const [preload] = elementsOf(text).filter(
      ({ attributes: { href } }) =>
        href &&
        new URL(href, 'https://x').href ===
          new URL(url.replaceAll('&quot;', '"').replaceAll('&amp;', '&'), 'https://x').href,
    )
    assert.ok(preload, path)
  }
})

test('what we add to a page is ASCII, but for a manifest in a page that is read as UTF-8', async () => {
  const more = { 'assets/öl.js': chunk('1'), 'assets/index.js': entry('import "./öl.js"') }
  const html = page(tag)
  for (const inline of [true, false] as const)
    assert.match((await rewrite(html, { inline }, more)).html, /^[\0-\x7f]*$/)
  const { manifestText, elements } = await rewrite(html, { inline: 'all' }, more)
  assert.is(elements.find(({ attributes }) => 'data-signedimp' in attributes)!.text, manifestText)
  const unknown = html.replace('<meta charset="utf-8">', '')
  const error = await throwsCode(
    () => rewrite(unknown, { inline: 'all' }, more),
    'ERR_SIGNEDIMP_OUTPUT',
  )
  assert.match(error.message, 'index.html')
  assert.ok((await rewrite(unknown, { inline: 'all' })).carrier)
})

test.run()
