import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as assert from 'uvu/assert'
import { evil, evilStatement } from '../../playground/tamper.ts'
import { generateKey } from '../../src/keys/generate.ts'
import type { SignedImpOptions } from '../../src/plugin/options.ts'
import { appFiles, buildSigned, chunkOf, pageManifestOf, serveApp } from '../support/app.ts'
import { closeShells, showInShell, whyNoShell, type Shell } from '../support/app-shell.ts'
import { attack, attacks } from '../support/attack.ts'
import { lazy } from '../support/readme-app.ts'
import { scratchFolder } from '../support/processes.ts'
import { skip } from '../support/skip.ts'
import { look, open, refuses, starts } from '../support/visit.ts'

// Pages under schemes of their own, as app shells have them. The denials of an import map are prefixes, and these mean
// nothing there. WebKitGTK shows such pages here. Chromium and Firefox have no way to be given a scheme from outside:
// Chromium, asked over its protocol to answer for `app:`, takes the address for that of another program.

const policy = (text: string) =>
  appFiles['index.html']!.replace(
    '<meta charset="utf-8">',
    `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${text}">`,
  ).replace(/\n {4}<script>[^]*?<\/script>/, '')

const builds: Record<string, () => Promise<string>> = {
  plain: build({}),
  'with the manifest in the page': build({ inline: 'all' }),
  'under script-src self': build({ inline: false }, policy("script-src 'self'")),
  'by tags': build({ inline: false, tags: true }, policy("script-src 'self'")),
  'no fetch': build({}, policy("connect-src 'none'")),
  'no fetch, with the manifest in the page': build({ inline: 'all' }, policy("connect-src 'none'")),
}

function build(signed: SignedImpOptions, html?: string): () => Promise<string> {
  return lazy(async () => {
    const key = await generateKey('ed25519')
    const files = html === undefined ? {} : { 'index.html': html }
    return buildSigned(key, { files, signed: { name: 'app', ...signed } })
  })
}

/** Shows a build with one file changed on the disk, beside one that nothing lists. */
async function show(name: string, shell: Shell = {}, changed?: (folder: string) => string) {
  const folder = scratchFolder()
  cpSync(await builds[name]!(), folder, { recursive: true })
  writeFileSync(join(folder, 'unlisted.js'), `${evilStatement}export const text = 'unlisted'`)
  if (changed) {
    const path = join(folder, changed(folder))
    writeFileSync(path, evil(readFileSync(path), path))
  }
  const seen = await showInShell(folder, shell)
  assert.is(seen.evil, 0)
  return seen
}

const missing = whyNoShell()
if (missing) skip(attacks, 'pages under schemes of their own', missing)
const inShell = { engines: missing ? [] : (['webkit'] as const) }
const whole = { a: 'a café', solo: 'solo', unlisted: 'ERR_SIGNEDIMP_UNLISTED /unlisted.js' }

attack(
  132,
  'a page under a scheme of its own',
  { ...inShell, variants: ['app', 'tauri', 'capacitor'] },
  async (_, __, scheme) => {
    const { alert, enforcement, opened } = await show('plain', { scheme })
    assert.equal([alert, opened], ['', whole])
    // Under the map, what is not listed would mean something: the page has found that out.
    assert.is(enforcement, 'blob')
    return 'refused ERR_SIGNEDIMP_UNLISTED'
  },
)

const parts: Record<string, [find: (folder: string) => string, code: string]> = {
  'the main chunk': [(folder) => chunkOf(folder, 'index'), 'CHANGED'],
  'what it imports': [(folder) => chunkOf(folder, 'dep'), 'CHANGED'],
  'a chunk that is loaded later': [(folder) => chunkOf(folder, 'a'), 'CHANGED'],
  'what that one imports': [(folder) => chunkOf(folder, 'shared'), 'CHANGED'],
  'the manifest': [pageManifestOf, 'MANIFEST_INVALID'],
}

attack(
  132,
  'a file that is changed on the disk of the shell',
  { ...inShell, variants: Object.keys(parts) },
  async (_, __, part) => {
    const [find, code] = parts[part]!
    const { alert, opened } = await show('plain', {}, find)
    const said = alert || opened.a
    assert.match(said, new RegExp(`^ERR_SIGNEDIMP_${code} `))
    if (alert === '') assert.is(opened.solo, 'solo')
    return `refused ERR_SIGNEDIMP_${code}`
  },
)

attack(132, 'a policy without blobs', inShell, async () => {
  const { alert, ran } = await show('under script-src self')
  assert.equal([alert.split(' ')[0], ran], ['ERR_SIGNEDIMP_NOT_ENFORCEABLE', []])
  return 'refused ERR_SIGNEDIMP_NOT_ENFORCEABLE'
})

attack(132, 'a policy without blobs, by tags', inShell, async () => {
  const { alert, enforcement, opened } = await show('by tags')
  assert.equal([alert, enforcement, opened], ['', 'tags', whole])
  const changed = await show('by tags', {}, (folder) => chunkOf(folder, 'a'))
  assert.equal([changed.alert, changed.opened.a], ['', 'ERR_SIGNEDIMP_CHANGED assets/a.js'])
  return 'refused ERR_SIGNEDIMP_CHANGED'
})

attack(
  132,
  'a scheme from which nothing can be fetched',
  { ...inShell, variants: ['plain', 'with the manifest in the page'] },
  async (_, __, name) => {
    const { alert, ran } = await show(name, { flags: ['secure', 'local'] })
    const code = name === 'plain' ? 'NETWORK' : 'REFUSED'
    assert.match(alert, new RegExp(`^ERR_SIGNEDIMP_${code} `))
    assert.equal(ran, [])
    return `refused ERR_SIGNEDIMP_${code}`
  },
)

attack(132, 'a page that may not fetch', { engines: 'all' }, async (page) => {
  const site = await serveApp(await builds['no fetch']!())
  const other = await serveApp(await builds['no fetch, with the manifest in the page']!())
  await refuses(page, site, 'ERR_SIGNEDIMP_NETWORK')
  await starts(page, other)
  assert.is(await open(page, 'a'), 'a café')
  other.tamper('assets/solo.js', 'changed')
  const said = await open(page, 'solo')
  assert.match(said, /^ERR_SIGNEDIMP_\w+ assets\/solo\.js$/)
  await site.close()
  await other.close()
  return `refused ${said.split(' ')[0]}`
})

attack(132, 'a page of a file: URL', { engines: ['chromium', 'webkit'] }, async (page) => {
  const folder = await builds['plain']!()
  await page.goto(pathToFileURL(join(folder, 'index.html')).href)
  const { alert, ran, evil: count } = await look(page)
  assert.match(alert, /^ERR_SIGNEDIMP_NETWORK /)
  assert.equal([ran, count], [[], 0])
  return 'refused ERR_SIGNEDIMP_NETWORK'
})

attacks.after(closeShells)

attacks.run()
