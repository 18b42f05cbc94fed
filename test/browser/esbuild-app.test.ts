import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../dist/index.js'
import { signedImp } from '../../dist/esbuild.js'
import { buildEsbuildApp, type EsbuildAppOptions } from '../../playground/build.ts'
import { serve, type Site } from '../../playground/server.ts'
import { inEngines, type EngineName, type Page } from '../support/browsers.ts'
import { scratchFolder } from '../support/processes.ts'

// The playground's app, built by esbuild: it runs, and refuses what is tampered with. Where the files are × how the page
// carries the bootstrap × which esbuild and key, each engine with one of the three.

interface Case {
  engine: EngineName
  esbuild: NonNullable<EsbuildAppOptions['esbuild']>
  base: '' | '/app/' | 'another origin'
  inline: boolean | 'all'
  algorithm: 'rsa-pss' | 'ed25519' | 'ecdsa-p256'
}

const cases: Case[] = [
  { engine: 'chromium', esbuild: 'esbuild', base: '', inline: true, algorithm: 'rsa-pss' },
  { engine: 'firefox', esbuild: 'esbuild27', base: '/app/', inline: false, algorithm: 'ed25519' },
  {
    engine: 'webkit',
    esbuild: 'esbuild26',
    base: 'another origin',
    inline: 'all',
    algorithm: 'ecdsa-p256',
  },
]

/** The app on its hosts: what the page is loaded from, and what its chunks are. */
interface Served {
  page: Site
  chunks: Site
  /** Path of the chunk with a module of the app in it; modules note their names. */
  pathOf(module: string): string
}

async function serveApp({ esbuild, base, inline, algorithm }: Case): Promise<Served> {
  const outDir = scratchFolder()
  const isElsewhere = base === 'another origin'
  const page = await serve(outDir, { base: isElsewhere ? '/' : base || '/' })
  const chunks = isElsewhere ? await serve(outDir, { cors: true }) : page
  const plugin = signedImp(await generateKey(algorithm), { html: ['public/index.html'], inline })
  await buildEsbuildApp(outDir, {
    esbuild,
    base: isElsewhere ? chunks.url : base,
    plugins: [plugin],
  })
  const scripts = readdirSync(join(outDir, 'assets')).filter((name) => name.endsWith('.js'))
  return { page, chunks, pathOf: (module) => `assets/${scripts.find(holds(outDir, module))!}` }
}

const holds = (outDir: string, module: string) => (name: string) =>
  new RegExp(`\\("${module}",`).test(readFileSync(join(outDir, 'assets', name), 'utf8'))

/** Opens all pages of the app, and tells what each of them came to and what all of them said. */
async function openAll(page: Page): Promise<{ lines: string[]; text: string }> {
  await page.waitFor("document.getElementById('open-visit') !== null")
  const lines: string[] = []
  let text = ''
  for (const name of ['shop', 'cart', 'visit']) {
    const before = await page.evaluate<number>(
      `(document.getElementById('open-${name}').click(), __log.length)`,
    )
    const line = await page.waitFor<string>(
      `__log.slice(${before}).find((line) => /^(shown|refused) /.test(line))`,
    )
    lines.push(line.replace(/^refused (\w+):.*/, 'refused $1').replace(/ @\w+$/, ''))
    text += await page.evaluate<string>('document.body.innerText')
  }
  return { lines, text }
}

/** How often code of the attacker ran. */
const evilIn = (page: Page) => page.evaluate<number>('globalThis.__evil ?? 0')

async function checkHonest(page: Page, { page: site, pathOf }: Served): Promise<void> {
  await page.goto(`${site.url}?honest`)
  const { lines, text } = await openAll(page)
  assert.equal(lines, ['shown shop', 'shown cart', 'shown visit'])
  for (const words of ['À table · crème fraîche · 🧀', 'Comté, 18 mois', 'Nothing in it — yet.'])
    assert.ok(text.includes(words), words)
  const log = await page.evaluate<string[]>('__log.filter((line) => /^evaluated/.test(line))')
  assert.is(new Set(log).size, log.length, 'a module ran twice')
  const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
  assert.is(background, 'rgb(251, 247, 236)')
  const image = "document.querySelector('#visit img')"
  await page.waitFor(`${image}.complete && ${image}.naturalWidth > 0`)
  const url = await page.evaluate<string>('__urls.Visit')
  assert.match(url, pathOf('Visit'))
}

async function checkTampered(page: Page, { page: site, chunks, pathOf }: Served): Promise<void> {
  chunks.tamper(pathOf('main'), 'flipped')
  await page.goto(site.url)
  const alert = await page.waitFor<string>("document.querySelector('[role=alert]')?.textContent")
  assert.ok(alert.startsWith(`ERR_SIGNEDIMP_CHANGED ${pathOf('main')}: `), alert)
  assert.is(await page.evaluate('typeof __log'), 'undefined')
  chunks.reset()
  chunks.tamper(pathOf('catalog'), 'changed')
  await page.goto(`${site.url}?again`)
  const refused = 'refused ERR_SIGNEDIMP_CHANGED'
  assert.equal((await openAll(page)).lines, [refused, refused, 'shown visit'])
  assert.is(await evilIn(page), 0)
  chunks.reset()
}

for (const one of cases)
  inEngines(
    test,
    `the app runs, and refuses changed chunks: ${one.esbuild}, base "${one.base}", inline: ${one.inline}`,
    async (page) => {
      const served = await serveApp(one)
      try {
        // First, for WebKit's memory hands out scripts again that it has seen.
        await checkTampered(page, served)
        await checkHonest(page, served)
        assert.is(await evilIn(page), 0)
      } finally {
        await served.page.close()
        await served.chunks.close()
      }
    },
    { engines: [one.engine] },
  )

test.run()
