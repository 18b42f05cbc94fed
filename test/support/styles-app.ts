import type { KeyObject } from 'node:crypto'
import { loadPlugin } from './app.ts'
import { buildFixture, type FixtureOptions } from './fixture.ts'
import type { Page } from './page.ts'

/** A version of Vite, as this checkout calls it. */
export type ViteName = 'vite' | 'vite5' | 'vite6' | 'vite7'
export const viteNames: readonly ViteName[] = ['vite5', 'vite6', 'vite7', 'vite']

/** A chunk of the app that has stylesheets: `a` and `b` share one, `c` has that which the page links. */
export type Route = 'a' | 'b' | 'c'

const note = (name: string) =>
  `(globalThis.ran ??= []).push('${name}')\nexport const text = '${name}'\n`

/** Notes what a page is told of refusals and of Vite's errors. */
export const noteEvents = `globalThis.heard = []
const hear = (type, tell) => addEventListener(type, (event) => heard.push(tell(event)))
hear('signedimp:refusal', ({ detail }) => detail.code + ' ' + detail.path)
hear('vite:preloadError', ({ payload }) => 'vite:preloadError ' + payload.message)`

/** An app whose chunks bring stylesheets. Each sheet says by a property of `#probe` that it holds, and when it came. */
export const stylesApp: Record<string, string> = {
  'index.html': `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Styles</title>
    <script>
      ${noteEvents}
    </script>
    <script type="module" src="/src/main.js"></script>
  </head>
  <body><p id="probe">probe</p></body>
</html>
`,
  'src/main.js': `import { look } from './look.js'
globalThis.app = { look, a: () => import('./a.js'), b: () => import('./b.js'), c: () => import('./c.js') }
`,
  'src/look.js': `import './look.css'\nexport const look = 'look'\n`,
  'src/a.js': `import './shared.css'\nimport './a.css'\n${note('a')}`,
  'src/b.js': `import './shared.css'\nimport './b.css'\n${note('b')}`,
  'src/c.js': `import { look } from './look.js'\n${note('c')}export { look }\n`,
  ...Object.fromEntries(
    ['look', 'shared', 'a', 'b'].map((name) => [
      `src/${name}.css`,
      `#probe { --${name}: signed; --last: ${name} }\n`,
    ]),
  ),
}

/** What an attacker would put in a stylesheet's place. */
export const evilStyle = '#probe { --evil: applied; --last: evil }\n'

/** Builds the app, signed by `key`, or plain without one. */
export async function buildStyles(
  key: KeyObject | undefined,
  { plugins = [], ...options }: FixtureOptions = {},
  files: Record<string, string> = stylesApp,
): Promise<string> {
  const signedImp = await loadPlugin()
  const { mergeConfig } = await import('vite')
  const manualChunks = (id: string) => (id.endsWith('/look.js') ? 'look' : undefined)
  const config = { build: { rollupOptions: { output: { manualChunks } } } }
  return buildFixture(files, {
    ...options,
    plugins: [...plugins, ...(key ? [signedImp(key)] : [])],
    config: mergeConfig(config, options.config ?? {}),
  })
}

/** What the stylesheets have made of the page: the values of the properties, and the sheets in order. */
export interface Look {
  values: Record<string, string>
  sheets: string[]
}

/** Looks at the page. */
export const lookAt = (page: Page): Promise<Look> =>
  page.evaluate(() => {
    const style = getComputedStyle(document.getElementById('probe')!)
    const names = ['look', 'shared', 'a', 'b', 'evil', 'last']
    const values = names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])
    const applied = [...document.styleSheets].filter(({ href }) => href)
    return {
      values: Object.fromEntries(values.filter(([, value]) => value)),
      sheets: applied.map(({ href }) => href!.replace(/^.*\//, '')),
    }
  })

/** Opens a chunk. @returns its `text`, or what its `import()` rejects with */
export const openRoute = (page: Page, route: Route): Promise<string> =>
  page.evaluate(
    (name) =>
      (globalThis as never as { app: Record<Route, () => Promise<{ text: string }>> }).app[
        name
      ]().then(
        ({ text }) => text,
        ({ code, message }) => code ?? message,
      ),
    route,
  )

/** What the page was told of refusals and of Vite's errors, once there are so many. */
export async function heardOf(page: Page, count: number): Promise<string[]> {
  await page.waitFor(`heard.length >= ${count}`)
  return page.evaluate(() => (globalThis as never as { heard: string[] }).heard)
}
