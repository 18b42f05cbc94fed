import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashBytes } from '../../src/crypto/node.ts'
import { backendList } from '../../src/manifest/names.ts'
import { throwsCode } from '../support/throws.ts'
import { chunk, emit, entry, type Bundled, type EmitOptions } from './emitted.ts'

const bundled: Bundled = {
  'assets/main.js': entry('import"./dep.js";'),
  'assets/admin.js': entry('1;'),
  'assets/dep.js': chunk('export{};'),
}

interface Page {
  head: string
  csp: string
  withNonce: { head: string; csp: string }
}

/** The pages that a backend is told of, by entry. */
async function pagesOf(options: EmitOptions = {}, files: Bundled = bundled) {
  const emitted = await emit(files, { html: 'backend', ...options })
  const pages = JSON.parse(emitted.text(backendList)) as Record<string, Page>
  return { ...emitted, pages }
}

const sourceOf = (text: string): string =>
  `'sha256-${Buffer.from(hashBytes('sha256', text), 'hex').toString('base64')}'`

const scriptIn = (head: string): string => /<script[^>]*>([^]*)<\/script>/.exec(head)![1]!

test('each entry that no page starts gets its tags, and stays the module that it is', async () => {
  const { pages, files, manifest, text } = await pagesOf()
  assert.equal(Object.keys(pages), ['assets/main.js', 'assets/admin.js'])
  const { head } = pages['assets/main.js']!
  assert.match(head, 'data-entry="assets%2Fmain.js"')
  assert.match(head, /<link rel="preload" as="script" href="\/assets\/dep\.js" integrity="sha256-/)
  assert.match(text('assets/main.js'), /^\ufeff/)
  assert.equal(
    [...files.keys()].filter((path) => path.endsWith('.html')),
    [],
  )
  // It is for the backend, and no page asks for it.
  assert.not.ok(manifest.files.has(backendList))
})

test('the policy has the hash of the bootstrap, which is one for all', async () => {
  const { pages } = await pagesOf()
  const [main, admin] = Object.values(pages)
  assert.is(scriptIn(main!.head), scriptIn(admin!.head))
  assert.match(main!.csp, `script-src ${sourceOf(scriptIn(main!.head))} `)
  assert.match(main!.csp, / 'strict-dynamic'; object-src 'none'; base-uri 'none'$/)
})

test('with a nonce, each tag has it, and the policy has no hash', async () => {
  const { pages } = await pagesOf()
  for (const { head, withNonce } of Object.values(pages)) {
    const marked = withNonce.head.replaceAll(' nonce="SIGNEDIMP_NONCE"', '')
    assert.is(marked, head)
    assert.is(withNonce.head.match(/ nonce=/g)!.length, head.match(/^<(link|script) /gm)!.length)
    assert.is(
      withNonce.csp,
      "script-src 'nonce-SIGNEDIMP_NONCE' 'strict-dynamic'; object-src 'none'; base-uri 'none'",
    )
  }
})

test('files on another host are named with it', async () => {
  const { pages } = await pagesOf({ base: 'https://cdn.example/shop/' })
  const { head } = pages['assets/main.js']!
  assert.match(head, /data-manifest="https:\/\/cdn\.example\/shop\/signedimp-manifest\.\w+\.txt"/)
})

test('a linked bootstrap, one with the manifest, and a policy of hosts', async () => {
  const linked = await pagesOf({ inline: false })
  const [, file] = /src="\/(signedimp-\w+\.js)" integrity=/.exec(
    linked.pages['assets/main.js']!.head,
  )!
  assert.match(linked.pages['assets/main.js']!.csp, sourceOf(linked.text(file!)))
  const { pages } = await pagesOf({ inline: 'all' })
  assert.match(pages['assets/main.js']!.head, '<script type="text/plain" data-signedimp>')
  const byHosts = (await pagesOf({ policy: 'self' })).pages['assets/main.js']!
  for (const policy of [byHosts.csp, byHosts.withNonce.csp])
    assert.match(policy, /^script-src '\S+' ('\S+' )*'self' 'sha256-\S+' 'sha256-\S+';/)
})

test('beside a page of the build, and a name in `unverified`', async () => {
  const files = {
    ...bundled,
    'index.html': '<script type="module" src="/assets/main.js"></script>',
  }
  const { pages, text } = await pagesOf({ unverified: ['assets/admin.js'] }, files)
  assert.equal(pages, {})
  assert.match(text('index.html'), 'data-entry="assets%2Fmain.js"')
})

test('the app has no file of their names', async () => {
  for (const path of [backendList, 'assets/main.js.html'])
    await throwsCode(() => pagesOf({}, { ...bundled, [path]: '' }), 'ERR_SIGNEDIMP_OUTPUT')
})

test('no relative place, and no report-only mode', async () => {
  for (const [options, message] of [
    [{ base: './' }, /html: 'backend' needs the place of the files/],
    [{ mode: 'report-only' }, /"mode" must be 'on' or 'off' with html: 'backend'/],
    [{ fallback: true }, /"fallback" is for the build's own pages/],
  ] as const) {
    const error = await pagesOf(options).then(
      () => undefined,
      (thrown) => thrown,
    )
    assert.instance(error, TypeError)
    assert.match((error as Error).message, message)
  }
})

test.run()
