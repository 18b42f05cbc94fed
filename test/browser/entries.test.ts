import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import type { TestSite } from '../support/app.ts'
import { engines, inEngines, type Page } from '../support/browsers.ts'
import {
  entryBundlers,
  handWritten,
  heads,
  serveEntries,
  tagOf,
  visitEntry,
} from '../support/entry-app.ts'
import { entryPolicies } from '../support/policies.ts'
import { glance } from '../support/visit.ts'

// Entries that no page of their build starts: by a tag that somebody wrote, and imported by other code.

const sites: Partial<Record<string, TestSite>> = {}

test.before(async () => {
  const key = await generateKey('ed25519')
  const assets = { 'data.json': '{"a":[1]}' }
  for (const bundler of entryBundlers) sites[bundler] = await serveEntries(key, { bundler, assets })
})

test.after(async () => {
  for (const site of Object.values(sites)) await site!.close()
})

const siteOf = (bundler = 'rollup'): TestSite => {
  const site = sites[bundler]!
  site.reset()
  return site
}

interface App {
  url: string
  shared: { word: string }
  throughRight(): string
  lazy(): Promise<{ text: string; same: unknown; url: string }>
  open(specifier: string, options?: object): Promise<{ default: unknown }>
  fail(): never
}

type Globals = { app: App; ran: string[]; other: unknown; errors: string[]; names: string }

const ran = (page: Page) => page.evaluate(() => (globalThis as unknown as Globals).ran)

/** Each bundler in each engine, and each way in each engine: not every bundler in every way in each. */
const enginesFor = (bundler: string, way: number) =>
  bundler === 'rollup' || process.env.SIGNEDIMP_FULL
    ? engines
    : engines.filter((_, at) => (at + way + entryBundlers.indexOf(bundler as never)) % 2 === 0)

for (const bundler of entryBundlers)
  for (const [way, [how, head]] of Object.entries(heads).entries()) {
    inEngines(
      test,
      `${bundler}, ${how}: what runs, and in which order, is as unsigned`,
      async (page) => {
        const site = siteOf(bundler)
        await visitEntry(page, site, tagOf('plain/main.js'), { head })
        const plain = (await ran(page)).filter((name) => name !== 'DOMContentLoaded')
        await visitEntry(page, site, tagOf('main.js'), { head })
        await page.waitFor(() =>
          (globalThis as unknown as Globals).ran.includes('DOMContentLoaded'),
        )
        assert.equal(await ran(page), [...plain, 'DOMContentLoaded'])
        assert.equal(plain.sort(), ['early', 'left', 'main', 'right', 'shared'])
        const seen = await page.evaluate(async () => {
          const { app } = globalThis as unknown as Globals
          const { text, same, url } = await app.lazy()
          return {
            text,
            isSame: same === app.shared,
            circle: app.throughRight(),
            urls: [app.url, url],
          }
        })
        assert.is(seen.text, 'lazy caféleft')
        assert.ok(seen.isSame)
        assert.is(seen.circle, 'leftright')
        const [main, lazy] = seen.urls.map((url) => url.replace(site.url, ''))
        assert.is(main, 'mai_.js')
        assert.match(lazy!, bundler === 'esbuild' ? /^deep\/lazy-\w{8}\.js$/ : /^deep\/lazy\.js$/)
        assert.equal((await glance(page)).refusals, [])
      },
      { engines: enginesFor(bundler, way) },
    )
  }

for (const [how, head] of Object.entries(heads)) {
  inEngines(test, `${how}: other code imports an entry, with all its exports`, async (page) => {
    const site = siteOf()
    const script = (path: string) =>
      `<script type="module">import value, * as all from '/${path}'
      globalThis.names = Object.keys(all).join() + value + all.word + all['a text'].word</script>`
    const namesOf = async (path: string) => {
      await visitEntry(page, site, script(path), { head })
      return page.waitFor<string>('globalThis.names')
    }
    const plain = await namesOf('plain/main.js')
    assert.match(plain, /^a text,default,fail,lazy,open,throughRight,url,word.*café/)
    assert.is(await namesOf('main.js'), plain)
  })

  inEngines(test, `${how}: two entries on a page share what both import`, async (page) => {
    const site = siteOf()
    await visitEntry(page, site, tagOf('other.js') + tagOf('main.js'), { head })
    await page.waitFor('globalThis.other')
    assert.ok(
      await page.evaluate(() => {
        const { app, other } = globalThis as unknown as Globals
        return app.shared === other
      }),
    )
    assert.equal(
      (await ran(page)).filter((name) => name === 'shared'),
      ['shared'],
    )
    assert.is(
      await page.evaluate(async () => (await (globalThis as unknown as Globals).app.lazy()).text),
      'lazy caféleft',
    )
  })

  inEngines(test, `${how}: a JSON module`, async (page) => {
    const site = siteOf()
    await visitEntry(page, site, tagOf('main.js'), { head })
    const json = await page.evaluate(async () => {
      const { app } = globalThis as unknown as Globals
      return (await app.open('./data.json', { with: { type: 'json' } })).default
    })
    assert.equal(json, { a: [1] })
  })

  inEngines(test, `${how}: what other code imports by itself is left alone`, async (page) => {
    const site = siteOf()
    site.reply('free.js', { body: 'globalThis.free = 1' })
    await visitEntry(page, site, tagOf('main.js'), { head })
    await page.evaluate(async () => void (await import('/free.js' as string)))
    assert.ok(await page.evaluate('globalThis.free'))
  })

  inEngines(
    test,
    `${how}: lines and columns of stacks are the file's own`,
    async (page, engine) => {
      const site = siteOf()
      const frameOf = async (path: string) => {
        await visitEntry(page, site, tagOf(path), { head })
        return page.evaluate(() => {
          try {
            return (globalThis as unknown as Globals).app.fail()
          } catch (error) {
            return /([\w-]+)\.js(?:#[\w-]+)?:(\d+:\d+)/.exec((error as Error).stack!)
          }
        })
      }
      const [, plainName, plain] = (await frameOf('plain/main.js'))!
      const frame = await frameOf('main.js')
      // WebKit takes no notice of the comment that names a blob's source.
      if (engine.name === 'webkit' && how === 'map') return assert.is(frame, null)
      assert.equal([plainName, frame![1]], ['main', 'mai_'])
      assert.is(frame![2], plain)
    },
  )
}

inEngines(test, 'an app hears each milestone of the document once', async (page) => {
  const counting = `globalThis.heard = []
for (const type of ['DOMContentLoaded', 'load', 'pageshow'])
  addEventListener(type, () => heard.push(type))
globalThis.app = 1
`
  const site = (sites.counting ??= await serveEntries(await generateKey('ed25519'), {
    files: { 'src/main.js': counting },
  }))
  await visitEntry(page, site, tagOf('main.js'))
  // Longer than an entry waits for an app that awaits something.
  await new Promise((settle) => setTimeout(settle, 2500))
  assert.equal(await page.evaluate('heard'), ['DOMContentLoaded', 'load', 'pageshow'])
})

inEngines(test, 'a refusal that an entry awaits is told once', async (page) => {
  const main = `globalThis.app = 1\nawait import('./' + 'unlisted.js')\n`
  const site = (sites.awaiting ??= await serveEntries(await generateKey('ed25519'), {
    files: { 'src/main.js': main },
  }))
  await visitEntry(page, site, tagOf('main.js'))
  await page.waitFor(`document.querySelector('[role=alert]')`)
  const { alert, refusals } = await glance(page)
  assert.match(alert, /^ERR_SIGNEDIMP_UNLISTED/)
  assert.is(refusals.length, 1)
})

inEngines(test, 'a circle that did not run when it was first linked', async (page) => {
  const site = (sites.entered ??= await serveEntries(await generateKey('ed25519'), {
    files: {
      'src/main.js': `globalThis.app = { one: () => import('./one.js'), two: () => import('./two.js') }\n`,
      'src/one.js': `import './thrower.js'\nimport './left.js'\n`,
      'src/thrower.js': `globalThis.thrown = 1\nthrow new Error('planned failure')\n`,
      'src/left.js': `import './right.js'\nexport const left = () => 'left of ' + (globalThis.word ?? 'a circle')\n`,
      'src/right.js': `import { left } from './left.js'\nexport const right = () => left()\n`,
      'src/two.js': `import { right } from './right.js'\nexport const said = right()\n`,
    },
  }))
  for (const head of Object.values(heads)) {
    await visitEntry(page, site, tagOf('main.js'), { head })
    const said = await page.evaluate(async () => {
      const { one, two } = (
        globalThis as unknown as { app: Record<string, () => Promise<unknown>> }
      ).app
      await one!().catch(() => {})
      return (await two!()) as { said: string }
    })
    assert.equal(said, { said: 'left of a circle' })
  }
})

inEngines(test, 'a function that is hoisted, in a circle', async (page, engine) => {
  const site = (sites.hoisted ??= await serveEntries(await generateKey('ed25519'), {
    files: {
      'src/main.js': `import { hoisted } from './left.js'\nglobalThis.app = hoisted\n`,
      'src/left.js': `import './right.js'\nexport function hoisted() { return String(new Date(0).getTime()) }\n`,
      'src/right.js': `import { hoisted } from './left.js'\ntry { globalThis.early = hoisted() } catch ({ name }) { globalThis.early = name }\n`,
    },
  }))
  await visitEntry(page, site, tagOf('main.js'))
  // As documented: from blobs, such a module knows nothing of the other until that has run.
  assert.is(await page.evaluate('early'), engine.name === 'firefox' ? 'TypeError' : '0')
})

inEngines(
  test,
  'an app that awaits DOMContentLoaded while it first evaluates starts',
  async (page) => {
    const site =
      sites.waiting ??
      (sites.waiting = await serveEntries(await generateKey('ed25519'), {
        files: {
          'src/main.js': `await new Promise((settle) => addEventListener('DOMContentLoaded', settle))
globalThis.app = 1
`,
        },
      }))
    await visitEntry(page, site, tagOf('main.js'))
    assert.is(await page.evaluate('app'), 1)
  },
)

inEngines(test, 'what an entry throws is thrown to whoever imports it', async (page) => {
  const site =
    sites.throwing ??
    (sites.throwing = await serveEntries(await generateKey('ed25519'), {
      files: { 'src/main.js': `throw new RangeError('planned failure')` },
    }))
  const importer = `<script>import('/main.js').catch(({ name, message }) => globalThis.failure = name + message)</script>`
  for (const head of Object.values(heads)) {
    await visitEntry(page, site, importer, { head })
    assert.is(await page.evaluate('failure'), 'RangeErrorplanned failure')
    assert.is((await glance(page)).alert, '')
  }
})

/** The tag of an entry with the integrity of its file, and that. */
async function pinnedTag(site: TestSite, path: string) {
  const bytes = new Uint8Array(await (await fetch(site.url + path)).arrayBuffer())
  const integrity = `sha256-${createHash('sha256').update(bytes).digest('base64')}`
  return { integrity, tag: tagOf(path).replace('<script', `<script integrity="${integrity}"`) }
}

inEngines(test, 'the nonce that Vite leaves in a meta tag', async (page) => {
  const site = siteOf()
  const headers = { 'content-security-policy': "script-src 'self' 'nonce-abc'" }
  const nonced = (meta: string) => handWritten(tagOf('main.js'), meta, headers)
  site.reply('hand.html', nonced('<meta property="csp-nonce" nonce="abc">'))
  await page.goto(site.url + 'hand.html')
  await page.waitFor('globalThis.app')
  assert.is((await glance(page)).alert, '')
  site.reply('hand.html', nonced('<meta property="another" nonce="abc">'))
  await page.goto(site.url + 'hand.html')
  await page.waitFor(`document.querySelector('[role=alert]')`)
})

for (const [policy, ...fates] of entryPolicies)
  inEngines(test, `script-src ${policy}`, async (page, engine) => {
    const site = siteOf()
    const [map, blob] = fates
    const { integrity, tag } = await pinnedTag(site, 'main.js')
    const { body } = handWritten(tag)
    const html = (body as string).replaceAll('<script', '<script nonce="abc"')
    const own = policy.includes('nonce')
      ? html
      : (body as string).replace(/<script>[^]*?<\/script>/, '')
    const value = policy.replace('BOOTSTRAP', `'${integrity}'`)
    site.reply('hand.html', {
      type: 'text/html',
      body: own,
      headers: { 'content-security-policy': `script-src ${value}` },
    })
    site.tamper('deep/lazy.js', 'flipped')
    await page.goto(site.url + 'hand.html')
    await page.waitFor(`globalThis.app || document.querySelector('[role=alert]')`)
    const { alert } = await glance(page)
    if ((engine.name === 'firefox' ? blob : map) === 'refused')
      return assert.is(alert, 'ERR_SIGNEDIMP_NOT_ENFORCEABLE no maps, no blobs')
    assert.is(alert, '')
    const code = await page.evaluate(() =>
      (globalThis as unknown as Globals).app.lazy().then(
        () => 'ran',
        (error: Error & { code: string }) => error.code,
      ),
    )
    assert.is(code, 'ERR_SIGNEDIMP_CHANGED')
  })

test.run()
