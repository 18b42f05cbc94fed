import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createSiteHeaders, type Headers, type SiteHeaders } from '../../src/emit/headers.ts'
import type { Output, OutputFile } from '../../src/emit/output.ts'
import { createPolicy, strictDynamic } from '../../src/emit/policy.ts'
import { writers } from '../../src/emit/servers.ts'
import { readHeadersFile } from '../support/headers-file.ts'
import { throwsCode } from '../support/throws.ts'
import { chunk, emit, entry } from './emitted.ts'

// What the option `headers` makes of an output. test/browser/headers.test.ts loads it into the servers.

const sri = (text: string, type = 'sha256') =>
  `'${type}-${createHash(type).update(text).digest('base64')}'`

const policyOf = (html: string, hasWasm = false, trusted = [strictDynamic]): string => {
  const found = createPolicy(html, { hasWasm, hasWorkers: false, trusted })
  return 'policy' in found ? found.policy : `NONE: ${found.hindrance}`
}

const closed = "object-src 'none'; base-uri 'none'"

test('a policy has the hash of each script that a page runs, and of each that it preloads', () => {
  const inline = 'let a = 1\r\nlet b'
  const html = `<!doctype html><script>${inline}</script><script src=a.js integrity="sha384-${'A'.repeat(64)} sha256-${'B'.repeat(43)}=?x"></script>
<script type=application/json>{}</script><script type="text/plain" data-signedimp>x</script>
<script type=speculationrules>{"prefetch":[]}</script><template><script>later()</script></template>
<link rel=preload as=script href=c.js integrity=sha256-${'C'.repeat(43)}=><link rel=stylesheet href=c.css integrity=sha256-${'D'.repeat(43)}=>`
  const sources = [
    // As the parser reads it.
    sri(inline.replace('\r\n', '\n')),
    `'sha384-${'A'.repeat(64)}'`,
    `'sha256-${'B'.repeat(43)}='`,
    sri('{"prefetch":[]}'),
    sri('later()'),
    `'sha256-${'C'.repeat(43)}='`,
  ]
  assert.is(policyOf(html), `script-src ${sources.join(' ')} 'strict-dynamic'; ${closed}`)
})

test('what only looks like code in an attribute is none', () => {
  const html = '<img alt="JavaScript: a book" on-click=x data-on=y><a href="/javascript:">x</a>'
  assert.is(policyOf(html), `script-src 'none'; ${closed}`)
})

test('a page without scripts runs none', () => {
  assert.is(policyOf('<p>text'), `script-src 'none'; ${closed}`)
})

test('WebAssembly may be compiled where there is some', () => {
  assert.is(
    policyOf('<script>1</script>', true),
    `script-src ${sri('1')} 'strict-dynamic' 'wasm-unsafe-eval'; ${closed}`,
  )
})

test('where a policy goes by hosts, nothing that scripts add may run, and hosts allow preloads', () => {
  const html = `<script>1</script><link rel=preload as=script href=c.js integrity=sha256-${'C'.repeat(43)}=>`
  const trusted = ["'self'", "'sha256-map='"]
  assert.is(
    policyOf(html, true, trusted),
    `script-src ${sri('1')} 'self' 'sha256-map=' 'wasm-unsafe-eval'; ${closed}`,
  )
  assert.is(policyOf('<p>text', false, trusted), `script-src 'none'; ${closed}`)
})

test('what a page itself has is not forbidden', () => {
  assert.is(policyOf('<base href=/x/>'), "script-src 'none'; object-src 'none'")
  assert.is(policyOf('<object data=x.svg></object>'), "script-src 'none'; base-uri 'none'")
  assert.is(policyOf('<embed src=x.pdf>'), "script-src 'none'; base-uri 'none'")
})

for (const [html, hindrance] of Object.entries({
  '<button onclick="a()">x</button>': 'code in an attribute (<button onclick>)',
  '<template><p onload="a()"></template>': 'code in an attribute (<p onload>)',
  '<a href=" java\nscript:a()">x</a>': 'code in an attribute (<a href>)',
  '<script src=/a.js></script>': 'a script without integrity (/a.js)',
  '<script src=/a.js integrity="md5-x"></script>': 'a script without integrity (/a.js)',
  '<script src=/a.js integrity="xsha256-AAAA"></script>': 'a script without integrity (/a.js)',
  '<script type=module src=/a.js></script>': 'a module script of its own (/a.js)',
  '<script type=module>a()</script>': 'a module script of its own (inline)',
  '<svg><script href=/a.js></script></svg>': 'a script that an image links',
  '<iframe srcdoc="<script>a()</script>"></iframe>': 'an iframe srcdoc with scripts',
  '<iframe srcdoc="<p onclick=a()>"></iframe>': 'an iframe srcdoc with scripts',
  '<script>"é"</script>': 'an inline script that is not ASCII, and no <meta charset="utf-8">',
}))
  test(`no policy: ${html.replace('\n', '')}`, () => {
    assert.is(policyOf(html), `NONE: ${hindrance}`)
  })

test('an inline script that is not ASCII needs a charset only', () => {
  assert.match(policyOf('<meta charset=utf-8><script>"é"</script>'), sri('"é"'))
})

test('a policy is no longer than hosts take: without preloads, or none', () => {
  const link = (at: number) =>
    `<link rel=preload as=script integrity=sha256-${String(at).padStart(43, 'A')}=>`
  const many = Array.from({ length: 40 }, (_, at) => link(at)).join('')
  assert.is(
    policyOf(`<script>1</script>${many}`),
    `script-src ${sri('1')} 'strict-dynamic'; ${closed}`,
  )
  const scripts = Array.from({ length: 40 }, (_, at) => `<script>${at}</script>`).join('')
  assert.is(policyOf(scripts), 'NONE: more scripts than a header can name')
})

/** An output of files that are given by path. */
const outputOf = (files: Record<string, Partial<OutputFile>>): Output =>
  new Map(
    Object.entries(files).map(([path, file]) => [
      path,
      { path, source: '', isModule: false, isEntry: false, ...file },
    ]),
  )

const siteOf = (files: Record<string, Partial<OutputFile>>, base = '/') => {
  const warnings: string[] = []
  const release = {
    base,
    manifestName: 'signedimp-manifest.txt',
    policy: 'strict-dynamic',
  } as const
  return { site: createSiteHeaders(outputOf(files), release, new Map(), warnings), warnings }
}

const asked = { 'Cache-Control': 'no-cache' }
const kept = { 'Cache-Control': 'public, max-age=31536000, immutable' }
const nosniff = { 'X-Content-Type-Options': 'nosniff' }

test('only what is named by its content is kept, and scripts are nothing else', () => {
  const { site, warnings } = siteOf({
    'a-12345678.js': { isContentNamed: true },
    'b.mjs': {},
    'c.css': { isContentNamed: false },
    'd-12345678.png': { isContentNamed: true },
    'e.html': { source: '<p onclick=x()>' },
  })
  assert.equal(Object.fromEntries(site.files), {
    'a-12345678.js': { ...kept, ...nosniff },
    'b.mjs': { ...asked, ...nosniff },
    'c.css': asked,
    'd-12345678.png': kept,
    'e.html': asked,
    'signedimp-manifest.txt': asked,
  })
  assert.equal(warnings, [
    'headers: e.html gets no Content-Security-Policy, which would block what it has: code in an attribute (<p onclick>)',
  ])
})

test('files on another origin may be read from the pages, which lie at the root of theirs', () => {
  const { site, warnings } = siteOf({ 'a.js': {}, 'b.html': {} }, 'https://cdn.example/x%20y/')
  const shared = { 'Access-Control-Allow-Origin': '*' }
  assert.equal(site.files.get('a.js'), { ...asked, ...nosniff, ...shared })
  assert.is(site.files.get('b.html')!['Access-Control-Allow-Origin'], undefined)
  assert.equal(site.files.get('signedimp-manifest.txt'), { ...asked, ...shared })
  assert.equal(['a.js', 'b.html'].map(site.toUrlPath), ['/x y/a.js', '/b.html'])
  assert.equal(warnings, [])
  const html = '<script crossorigin="use-credentials">1</script>'
  const asking = siteOf({ 'a.js': {}, 'b.html': { source: html } }, '//cdn.example/')
  assert.equal(asking.site.files.get('a.js'), { ...asked, ...nosniff })
  assert.match(asking.warnings.join(), 'no Access-Control-Allow-Origin')
})

for (const [base, prefix] of [
  ['', '/'],
  ['/app/', '/app/'],
])
  test(`with base "${base}" a file is at ${prefix}`, () => {
    assert.is(siteOf({}, base).site.toUrlPath('a/b.html'), `${prefix}a/b.html`)
  })

/** How a site would be whose files are these. */
const served = (files: Record<string, Headers>): SiteHeaders => ({
  files: new Map(Object.entries(files)),
  fallback: asked,
  toUrlPath: (path) => `/${path}`,
})

test('what nginx and Apache read has no character of a name that means something to them', () => {
  const name = 'a b"c\'d$e%f;g{h}i#j>k\\l*m(n)é.js'
  const pattern =
    'a\\x20b\\x22c\\x27d\\x24e\\x25f\\x3bg\\x7bh\\x7di\\x23j\\x3ek\\x5cl\\x2am\\x28n\\x29\\xc3\\xa9\\.js'
  for (const form of ['nginx', 'apache'] as const) {
    const { text } = writers[form](served({ [name]: kept }))
    assert.ok(text.includes(`^(?:/${pattern})$`), text)
    assert.match(text, /^[\n -~]+$/)
  }
})

test('no line of what nginx reads is longer than it takes', () => {
  const files = Object.fromEntries(
    Array.from({ length: 400 }, (_, at) => [`assets/a chunk-${at}.js`, kept]),
  )
  const { text } = writers.nginx(served(files))
  assert.ok(text.split('\n').every((line) => line.length < 4000))
  for (const at of [0, 199, 399]) assert.ok(text.includes(`/assets/a\\x20chunk-${at}\\.js`))
})

test('_headers has one rule a URL, and none that could be taken for a pattern', () => {
  const page = { ...asked, 'Content-Security-Policy': "script-src 'none'" }
  const { text, warnings } = writers._headers(
    served({
      'index.html': page,
      'sub/index.html': page,
      'about.html': page,
      'about/index.html': page,
      'a *.html': page,
      'a-1.js': kept,
      'a:b.js': kept,
      'plain.txt': asked,
    }),
  )
  const urls = ['/', '/index.html', '/sub/', '/sub', '/sub/index.html', '/about.html']
  assert.equal(
    [...readHeadersFile(text).keys()].sort(),
    [...urls, '/about/', '/about/index.html', '/a-1.js'].sort(),
  )
  assert.equal(warnings, [
    'headers: "_headers" cannot name /a *, /a *.html, which get no policy by it',
  ])
})

test('_headers says when it has more rules than Cloudflare takes, and has pages first', () => {
  const files = Object.fromEntries(Array.from({ length: 110 }, (_, at) => [`${at}-a.js`, kept]))
  const page = { ...asked, 'Content-Security-Policy': "script-src 'none'" }
  const { text, warnings } = writers._headers(served({ ...files, 'index.html': page }))
  assert.is([...readHeadersFile(text).keys()][0], '/')
  assert.match(warnings!.join(), '"_headers" has 112 rules')
})

// In an output.

const html =
  '<!doctype html><html><head><script type="module" src="/app.js"></script></head></html>'
const forms = ['_headers', 'nginx', 'apache', 'json'] as const
const own = ['_headers', 'signedimp-headers.nginx.conf', '.htaccess', 'signedimp-headers.json']

test('the files are there where they are asked for, and no page may load them', async () => {
  const bundled = { 'index.html': html, 'app.js': entry('1') }
  const { files, manifest } = await emit(bundled, { headers: [...forms, 'json'] })
  for (const path of own) {
    assert.ok(files.has(path), path)
    assert.not.ok(manifest.files.has(path), path)
  }
  const plain = await emit(bundled)
  assert.equal(
    own.filter((path) => plain.files.has(path)),
    [],
  )
})

for (const [at, form] of forms.entries())
  test(`refused: ${form} where the app has a file of that name`, async () => {
    const path = own[at]!
    const bundled = { 'index.html': html, 'app.js': entry('1') }
    const publicFiles = { [path]: 'mine' }
    const error = await throwsCode(
      () => emit(bundled, { headers: [form], publicFiles }),
      'ERR_SIGNEDIMP_OUTPUT',
    )
    assert.match(error.message, path)
    // Without that form it stays, and is still for servers only.
    const { manifest } = await emit(bundled, { publicFiles })
    assert.not.ok(manifest.files.has(path))
  })

test('an entry is kept only if all that it may load is named by its content', async () => {
  const named = { preliminaryFileName: '!~{001}~.js' }
  const cases: [bundled: Parameters<typeof emit>[0], isKept: boolean][] = [
    [{ 'app-1.js': { ...entry('1'), ...named } }, true],
    [{ 'app-1.js': entry('1') }, false],
    // It may load whatever there is.
    [{ 'app-1.js': { ...entry('import(globalThis.x)'), ...named } }, false],
    [
      {
        'app-1.js': { ...entry('import("./b-1.js")'), ...named },
        'b-1.js': { ...chunk('1'), ...named },
      },
      true,
    ],
    [{ 'app-1.js': { ...entry('import("./b.js")'), ...named }, 'b.js': chunk('1') }, false],
  ]
  for (const [bundled, isKept] of cases) {
    const { text } = await emit(bundled, { headers: ['json'], base: '' })
    const { files } = JSON.parse(text('signedimp-headers.json'))
    const { 'Cache-Control': cache } = files['app-1.js']
    assert.is(cache, (isKept ? kept : asked)['Cache-Control'], JSON.stringify(bundled))
  }
})

test.run()
