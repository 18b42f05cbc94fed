import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { check, filesIn, findUnwrapped, textIn, attackedVites } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildFixture } from '../support/fixture.ts'
import { newPublisher } from './signed.ts'

const files = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import "./main.css"\nimport("./lazy.js")',
  'src/main.css': 'a{}',
  'src/lazy.js': 'import "./lazy.css"\nexport default import.meta.url',
  'src/lazy.css': 'b{}',
}

/** A plugin that adds and changes files at the last moment that it can. */
const busy = {
  name: 'busy',
  enforce: 'post',
  generateBundle: {
    order: 'post',
    async handler(
      this: unknown,
      _: unknown,
      bundle: Record<string, { code?: string; fileName: string }>,
    ) {
      await new Promise((done) => setTimeout(done, 20))
      for (const file of Object.values(bundle))
        if (file.code !== undefined) file.code += '\nimport.meta.late = 1\n'
      ;(this as { emitFile(file: object): void }).emitFile({
        type: 'asset',
        fileName: 'late.json',
        source: '{"late":true}',
      })
    },
  },
}

const variants = attackedVites.flatMap((vite) =>
  ['first', 'last'].map((place) => `${vite}, we are listed ${place}`),
)

attack(82, 'runtime put into an entry after it was hashed', { variants }, async (variant) => {
  const { privateKey } = await newPublisher()
  const ours = signedImp(privateKey)
  const plugins = variant.endsWith('first') ? [ours, busy] : [busy, ours]
  const dir = await buildFixture(files, { vite: variant.split(',')[0] as never, plugins })
  await check(dir, privateKey)
  assert.equal(await findUnwrapped(dir), [])
  for (const path of filesIn(dir).filter((name) => /^assets\/.*\.js$/.test(name))) {
    assert.match(textIn(dir, path), /_simpmeta\(\)\.late = 1/)
    assert.match(textIn(dir, path), '__signedimp.meta(')
  }
  return 'ok hashes are taken of the bytes that are written'
})

attack(83, 'an empty list, because hooks run in another order', { variants }, async (variant) => {
  const { privateKey } = await newPublisher()
  const ours = signedImp(privateKey)
  const plugins = variant.endsWith('first') ? [ours, busy] : [busy, ours]
  const dir = await buildFixture(files, { vite: variant.split(',')[0] as never, plugins })
  const { pages } = await check(dir, privateKey)
  const [page] = pages.values()
  const expected = filesIn(dir).filter((path) => !/\.(html|txt)$/.test(path))
  assert.ok(expected.includes('late.json') && expected.length >= 6)
  assert.equal([...page!.files.keys()].sort(), expected)
  return 'ok the list has every file that pages can load'
})

attack(84, 'placeholders that are shipped', { variants: attackedVites }, async (variant) => {
  const { privateKey } = await newPublisher()
  const config = { build: { manifest: true, sourcemap: true } }
  for (const inline of [true, false, 'all'] as const) {
    const dir = await buildFixture(files, {
      vite: variant as never,
      plugins: [signedImp(privateKey, { inline })],
      config,
    })
    for (const path of filesIn(dir))
      assert.not.match(
        textIn(dir, path),
        /__SIGNEDIMP_[A-Z]+__|!~\{|~!|__VITE_ASSET__|__VITE_PRELOAD__|__DER__/,
        path,
      )
  }
  return 'ok none is left'
})

attacks.run()
