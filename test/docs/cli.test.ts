import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serve } from '../../playground/server.ts'
import { root } from '../support/files.ts'
import { allBlocks, headingsOf, readDocument } from '../support/markdown.ts'
import { copyApp, createApp, lazy, runBeside, succeed } from '../support/readme-app.ts'

// Every command of docs/cli.md, run: each section in an app that is built and signed.

const page = readDocument('docs/cli.md')

/** What must be there before the commands of a section. */
const before: Record<string, string> = {
  'Build here, sign there': 'cp dist/signedimp-manifest.txt last.txt\nsignedimp unsign dist',
  'Zip files': 'rm dist/signedimp-manifest*\n(cd dist && python3 -m zipfile -c ../app.zip *)',
}

const app = lazy(async () => {
  const folder = await createApp()
  succeed('vite build', folder)
  return folder
})

for (const [heading, section] of headingsOf(page, 2)) {
  const blocks = allBlocks(section).filter(({ language }) => ['sh', 'text'].includes(language))
  if (blocks.length === 0) continue
  test(`${heading}: the commands do what the page says`, async () => {
    const folder = copyApp(await app())
    if (before[heading]) succeed(before[heading], folder)
    for (const [at, { language, code }] of blocks.entries()) {
      if (language !== 'sh') continue
      const next = blocks[at + 1]
      const expected = next?.language === 'text' ? next.code : undefined
      const { status, stdout, stderr } = await runServed(code, folder)
      const isRefusal = expected?.startsWith('ERR_') === true
      assert.is(status, isRefusal ? 1 : 0, stderr)
      for (const line of expected?.trimEnd().split('\n') ?? [])
        assert.match(shapeless(stdout + stderr), shapeless(line))
    }
  })
}

/** Runs commands, with the folder `dist` as the site that they name. */
async function runServed(code: string, folder: string) {
  const site = await serve(join(folder, 'dist'))
  try {
    return await runBeside(code.replace('https://shop.example/', site.url), folder)
  } finally {
    await site.close()
  }
}

/** Without what is another in each run: hashes, fingerprints, sizes of columns. */
const shapeless = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{8,64}|-[\w-]{8}(?=\.)/g, '…')
    .replaceAll(/…+/g, '…')
    .replaceAll(/ +/g, ' ')

test('every code that only a tool can throw has an example', () => {
  const errors = readFileSync(join(root, 'src/errors.ts'), 'utf8')
  const [, ofTools] = errors.split('// What only a tool refuses.')
  const declared = [...ofTools!.matchAll(/^ {2}\| '(\w+)'$/gm)].map(([, code]) => code!)
  assert.ok(declared.length > 0)
  const shown = allBlocks(page).filter(({ language }) => language === 'text')
  for (const code of declared)
    assert.ok(
      shown.some((block) => block.code.startsWith(`${code} `)),
      code,
    )
})

test.run()
