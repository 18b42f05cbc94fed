import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import {
  appBundlers,
  buildSigned,
  isAsked,
  pageManifestOf,
  serveApp,
  type AppBundler,
  type TestSite,
} from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import { root } from '../support/files.ts'
import { glance, look, open, refuses, refusesChunk } from '../support/visit.ts'

// Pages that refuse cannot be made to report only: 74, 79.

/** The same app in both modes, signed by one key. */
interface App {
  inline: string
  linked: string
  reportOnly: string
  reportOnlyLinked: string
  site: TestSite
  linkedSite: TestSite
}

const apps = {} as Record<AppBundler, App>
let app = {} as App

attacks.before(async () => {
  const key = await generateKey('ed25519')
  for (const bundler of appBundlers) {
    const build = (mode: 'on' | 'report-only', inline: boolean) =>
      buildSigned(key, { bundler, signed: { mode, inline } })
    const folders = {
      inline: await build('on', true),
      linked: await build('on', false),
      reportOnly: await build('report-only', true),
      reportOnlyLinked: await build('report-only', false),
    }
    const [site, linkedSite] = [await serveApp(folders.inline), await serveApp(folders.linked)]
    apps[bundler] = { ...folders, site, linkedSite }
  }
})

attacks.after(async () => {
  for (const { site, linkedSite } of Object.values(apps)) {
    await site.close()
    await linkedSite.close()
  }
})

const everywhere = {
  engines: 'all',
  turnTo: (bundler: AppBundler) => void (app = apps[bundler]),
} as const

const pageOf = (folder: string): string => readFileSync(join(folder, 'index.html'), 'utf8')
const carrier = /<script(?=[^>]* data-manifest)[^>]*>([^]*?)<\/script>/
const bootstrapOf = (folder: string): string => carrier.exec(pageOf(folder))![1]!
const sourceOf = (code: string) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`

const attributes = {
  'data-mode': 'data-mode="report-only"',
  'data-report-only': 'data-report-only',
  'data-report': 'data-report="/report"',
  mode: 'mode="report-only" report-only',
}

attack(
  74,
  'an attribute that asks to report only',
  { ...everywhere, variants: Object.keys(attributes) },
  async (tab, _, variant) => {
    const attribute = attributes[variant as keyof typeof attributes]
    app.site.reset()
    const body = pageOf(app.inline).replace(' data-manifest', ` ${attribute} data-manifest`)
    app.site.reply('index.html', { type: 'text/html', body })
    app.site.tamper('assets/a.js', 'changed')
    await tab.goto(app.site.url)
    assert.is((await look(tab)).alert, '')
    return refusesChunk(tab, 'a', 'ERR_SIGNEDIMP_CHANGED')
  },
)

const wishes = ['?mode=report-only', '?report-only', '#report-only', 'storage', 'global', 'element']

attack(
  74,
  'a page that is asked to report only',
  { ...everywhere, variants: wishes },
  async (tab, _, variant) => {
    app.site.reset()
    app.site.tamper('assets/index.js', 'changed')
    const early =
      variant === 'global'
        ? "<script>mode = signedimp = 'report-only'; reportOnly = true</script>"
        : variant === 'element'
          ? '<meta name="signedimp" content="report-only"><script data-mode="report-only" data-manifest="/x"></script>'
          : ''
    const body = pageOf(app.inline).replace('<head>', `<head>${early}`)
    app.site.reply('index.html', { type: 'text/html', body })
    const url = app.site.url + (/^[?#]/.test(variant) ? variant : '')
    if (variant === 'storage') {
      await tab.goto(url)
      await tab.evaluate(() => {
        for (const key of ['mode', 'signedimp', 'signedimp:mode', 'signedimp-mode', 'reportOnly'])
          for (const store of [localStorage, sessionStorage]) store.setItem(key, 'report-only')
        document.cookie = 'signedimp=report-only'
      })
    }
    await tab.goto(url)
    const { alert, evil, ran } = await look(tab)
    assert.match(alert, /^ERR_SIGNEDIMP_CHANGED /)
    assert.equal([evil, ran.includes('index')], [0, false])
    return 'refused ERR_SIGNEDIMP_CHANGED'
  },
)

attack(74, 'the manifest of a report-only build', everywhere, (tab) => {
  app.site.reset()
  const body = readFileSync(join(app.reportOnly, pageManifestOf(app.reportOnly)))
  app.site.reply(pageManifestOf(app.inline), { body })
  return refuses(tab, app.site, 'ERR_SIGNEDIMP_REFUSED')
})

attack(
  74,
  'the report-only bootstrap under the policy of the one that refuses',
  everywhere,
  async (tab) => {
    const site = await serveApp(app.reportOnly)
    const [on, reportOnly] = [bootstrapOf(app.inline), bootstrapOf(app.reportOnly)]
    assert.is.not(sourceOf(on), sourceOf(reportOnly))
    try {
      for (const [allowed, isRun] of [
        [reportOnly, true],
        [on, false],
      ] as const) {
        const headers = { 'content-security-policy': `script-src 'self' ${sourceOf(allowed)}` }
        site.reply('index.html', { type: 'text/html', body: pageOf(app.reportOnly), headers })
        await tab.goto(site.url)
        await tab.waitFor('globalThis.app')
        if (isRun) await isAsked(site, pageManifestOf(app.reportOnly))
        else await tab.evaluate(() => new Promise((settle) => setTimeout(() => settle(1), 1500)))
        const asked = site.requests.filter(({ path }) => path === pageManifestOf(app.reportOnly))
        assert.is(asked.length > 0, isRun)
        site.reset()
      }
      return 'ok it is blocked: it has another hash'
    } finally {
      await site.close()
    }
  },
)

attack(
  74,
  'the linked report-only bootstrap in the place of the other',
  everywhere,
  async (tab) => {
    const { linkedSite: site } = app
    const [own, other] = [app.linked, app.reportOnlyLinked].map(
      (folder) => / src="\/(signedimp-[^"]+)"/.exec(pageOf(folder))![1]!,
    )
    site.reset()
    site.reply(own!, { body: readFileSync(join(app.reportOnlyLinked, other!)) })
    await tab.goto(site.url)
    const { evil, ran } = await glance(tab)
    assert.equal([evil, ran], [0, []])
    assert.is(await tab.evaluate('typeof app'), 'undefined')
    return 'ok nothing starts: its tag names another hash'
  },
)

const built = join(root, 'dist/bootstrap')

attack(
  74,
  'a switch in what pages are given that refuse',
  { variants: readdirSync(built).filter((file) => !file.startsWith('report-only')), quick: true },
  (file) => {
    const code = readFileSync(join(built, file), 'utf8')
    assert.not.match(code, /report-?only|dataset\.mode|data-mode|sessionStorage/i)
    // What remembers builds asks the storage for numbers, by which it can but refuse.
    assert.is(/localStorage/.test(code), file.endsWith('-remember.js'))
    assert.not.match(code, /location\.(search|hash)|document\.cookie/)
    return 'ok it holds none'
  },
)

attack(79, 'a report-only build in production', everywhere, async (tab, { name }) => {
  const site = await serveApp(app.reportOnly)
  site.tamper('assets/a.js', 'changed')
  try {
    await tab.goto(site.url)
    assert.is((await look(tab)).alert, '')
    assert.is(await open(tab, 'a'), 'a café')
    assert.is(
      await tab.evaluate(
        () => document.querySelector<HTMLElement>('[data-manifest]')!.dataset.mode,
      ),
      'report-only',
    )
    // WebKit's console is not to be had here.
    if (name !== 'webkit') assert.match(tab.messages().join('\n'), 'REFUSES NOTHING')
    return 'documented limit: it refuses nothing, and says so in its tag, its console and its build'
  } finally {
    await site.close()
  }
})

attacks.run()
