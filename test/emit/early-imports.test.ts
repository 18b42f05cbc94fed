import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { throwsCode } from '../support/throws.ts'
import { emit, entry, type Bundled } from './emitted.ts'

// What imports in the HTML itself runs before the bootstrap has checked anything: each of these ran a changed chunk in
// Chromium while a build let it pass.

const load = `import('/assets/lazy.js')`

const bundled = (html: string): Bundled => ({
  'index.html': `<!doctype html><meta charset="utf-8"><script type="module" src="/assets/main.js"></script>${html}`,
  'assets/main.js': entry(`import("./lazy.js")`),
  'assets/lazy.js': { code: 'export{}', isEntry: false },
  'start.js': load,
})

const refused: [title: string, html: string, name: string][] = [
  ['an inline script', `<script>${load}</script>`, '<script type=""> sha256-'],
  ['a script of the public folder', '<script src="/start.js"></script>', '/start.js'],
  ['a script in an image', `<svg><script>${load}</script></svg>`, '<script type=""> sha256-'],
  [
    'a script in an image, in two parts',
    `<svg><script>imp<!-- -->ort('/x.js')</script></svg>`,
    '<script type=""> sha256-',
  ],
  [
    'a script in a shadow root',
    `<div><template shadowrootmode="open"><script>${load}</script></template></div>`,
    '<script type=""> sha256-',
  ],
  [
    'behind a comment as HTML has them',
    `<script>\n<!-- \`\n${load}\n//\`\n</script>`,
    '<script type=""> sha256-',
  ],
  ['in what no lexer reads', `<script>'\n;${load}</script>`, '<script type=""> sha256-'],
  ['an event handler', `<img src="x" onerror="${load}">`, '<img onerror> sha256-'],
  [
    'an event handler of a document in an attribute',
    `<iframe srcdoc="<img src=x onerror=&quot;${load}&quot;>"></iframe>`,
    '<img onerror> sha256-',
  ],
  [
    'an address that is a script',
    `<a href=" javaScript:import%28'/x.js')">x</a>`,
    '<a href> sha256-',
  ],
]

for (const [title, html, name] of refused)
  test(`what imports before anything is checked is refused by name: ${title}`, async () => {
    const options = { unverified: ['start.js'] }
    const first = title.includes('public') ? {} : options
    const { message } = await throwsCode(
      () => emit(bundled(html), first),
      'ERR_SIGNEDIMP_NOT_COVERED',
    )
    const line = message.split('\n').find((text) => text.startsWith(`  ${name}`))
    assert.ok(line, message)
    const full = /^ {2}(.+?): (?:code|a classic)/.exec(line!)![1]!
    await emit(bundled(html), { unverified: ['start.js', full] })
  })

for (const [title, html] of Object.entries({
  'a name that ends so': '<script>reimport("x"); a.import("y")</script>',
  'a text': `<script>const a = "import('x')"</script>`,
  'a block of data': `<script type="application/json">${load}</script>`,
  'a handler that calls a function': '<button onclick="start()">go</button>',
}))
  test(`what does not import stays: ${title}`, async () => {
    await emit(bundled(html), { unverified: ['start.js'] })
  })

test.run()
