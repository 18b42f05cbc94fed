import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serve } from '../../playground/server.ts'
import { appFiles, buildWell } from '../bundlers/esbuild-project.ts'
import { inEngines } from '../support/browsers.ts'

// Pages in a folder whose references start somewhere else, because they say so.

const page = (base: string, source: string) => `<!doctype html>
<html><head><meta charset="utf-8"><base href="${base}"></head><body>
<script type="module" src="${source}"></script>
</body></html>
`

const files = {
  ...appFiles,
  'src/main.js': "import './main.css'\nglobalThis.load = () => import('./lazy.js')\n",
  'a/root.html': page('/', 'src/main.js'),
  'a/above.html': page('../', 'src/main.js'),
  'a/below.html': page('b/c/', '../../../src/main.js'),
}
const html = ['index.html', 'a/root.html', 'a/above.html', 'a/below.html']
const { dir } = await buildWell({ files, signed: { html } })

inEngines(test, 'pages with a base element start, and load chunks and stylesheets', async (tab) => {
  const site = await serve(dir)
  try {
    for (const name of html) {
      await tab.goto(site.url + name)
      await tab.waitFor("typeof load === 'function'")
      assert.match(await tab.evaluate('load().then((lazy) => lazy.default)'), 'lazy')
      const style = 'getComputedStyle(document.body).backgroundImage'
      assert.match(await tab.evaluate(style), '/dot.png', name)
    }
  } finally {
    await site.close()
  }
})

test.run()
