import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildStyles, evilStyle, heardOf, lookAt, openRoute } from '../support/styles-app.ts'

// Ways into the document that Vite's helper does not take: 69. No method of the DOM is patched, so what signed code links
// by itself is not checked, by whatever way; and no way makes the helper's own links unchecked.

let site: TestSite

attacks.before(async () => {
  site = await serveApp(await buildStyles(await generateKey('ecdsa-p256')))
})

attacks.after(() => site.close())

const tag = `<link rel="stylesheet" href="/assets/b.css">`

/** Each puts the link of a listed stylesheet into the page, or a document with it. */
const paths: Record<string, string> = {
  'append(a, b)': `head.append(document.createElement('i'), link)`,
  replaceWith: `head.append(hole); hole.replaceWith(link)`,
  insertAdjacentHTML: `head.insertAdjacentHTML('beforeend', tag)`,
  innerHTML: `head.append(hole); hole.innerHTML = tag`,
  'a fragment': `const parts = new DocumentFragment(); parts.append(link); head.append(parts)`,
  insertBefore: `head.insertBefore(link, head.firstChild)`,
  'document.write': `frame.contentDocument.write(tag + probe); frame.contentDocument.close()`,
  srcdoc: `frame.srcdoc = tag + probe`,
}

attack(
  69,
  'a way that no hook sees',
  { engines: 'all', variants: Object.keys(paths) },
  async (page, _, path) => {
    site.reset()
    for (const name of ['a', 'b'])
      site.reply(`assets/${name}.css`, { type: 'text/css', body: evilStyle })
    await page.goto(site.url)
    await page.waitFor(() => 'app' in globalThis)
    assert.match(await openRoute(page, 'a'), 'Unable to preload CSS for')
    assert.ok((await heardOf(page, 2)).includes('ERR_SIGNEDIMP_CHANGED assets/a.css'))
    assert.equal(Object.keys((await lookAt(page)).values), ['look', 'shared', 'last'])

    await page.evaluate(`(() => {
    const { head, body } = document
    const tag = ${JSON.stringify(tag)}, probe = '<p id="probe">'
    const [link, hole, frame] = ['link', 'div', 'iframe'].map((name) => document.createElement(name))
    body.append(frame)
    Object.assign(link, { rel: 'stylesheet', href: '/assets/b.css' })
    ${paths[path]}
    return true
  })()`)
    await page.waitFor(
      `[document, frames[0].document].some((one) => one.getElementById('probe') &&
      one.defaultView.getComputedStyle(one.getElementById('probe')).getPropertyValue('--evil'))`,
    )
    return 'documented limit: what signed code links by itself is not checked; what chunks load is'
  },
)

attacks.run()
