import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { filesIn, manifestsIn, textIn, attackedVites, type ViteName } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildByEsbuild } from '../support/esbuild.ts'
import { buildFixture } from '../support/fixture.ts'
import { knownPublisher } from './signed.ts'

const names = Array.from({ length: 12 }, (_, n) => `m${(n * 7) % 12}`)
const files = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': names.map((name) => `import("./${name}.js")`).join('\n'),
  ...Object.fromEntries(
    names.map((name) => [`src/${name}.js`, `import "./${name}.css"\nexport default "${name}"`]),
  ),
  ...Object.fromEntries(names.map((name) => [`src/${name}.css`, `.${name}{}`])),
  'public/\uff71.txt': '',
  'public/\u{1f600}.txt': '',
  'public/z.txt': '',
}

const signedText = (text: string) => text.slice(text.indexOf('\n\n') + 2)

/** Builds twice and holds that all is the same but signatures. @returns the first folder */
async function buildTwice(build: () => Promise<string>): Promise<string> {
  const [one, two] = [await build(), await build()]
  assert.equal(filesIn(one), filesIn(two))
  for (const path of filesIn(one)) {
    const [a, b] = [textIn(one, path), textIn(two, path)]
    if (manifestsIn(one).includes(path)) assert.is(signedText(a), signedText(b))
    else assert.is(a, b, path)
  }
  return one
}

attack(94, 'another manifest for the same input', { variants: attackedVites }, async (variant) => {
  const { privateKey } = await knownPublisher('rsa-pss')
  const build = () =>
    buildFixture(files, {
      vite: variant as ViteName,
      plugins: [signedImp(privateKey, { build: 7 })],
      config: { build: { minify: true } },
    })
  const one = await buildTwice(build)
  const lines = signedText(textIn(one, 'signedimp-manifest.txt'))
    .split('\n')
    .filter((line) => /^[0-9a-f]{64} /.test(line))
  const paths = lines.map((line) => Buffer.from(line.slice(65)))
  assert.equal(paths, [...paths].sort(Buffer.compare), 'in the order of bytes')
  return 'ok the signed texts are the same, byte for byte'
})

attack(
  94,
  'another manifest for the same input, by esbuild',
  { variants: ['minified', 'without pages'] },
  async (variant) => {
    const { privateKey } = await knownPublisher('rsa-pss')
    const isPaged = variant === 'minified'
    const build = async () => {
      const { dir } = await buildByEsbuild(files, {
        key: privateKey,
        signed: { build: 7, ...(!isPaged && { html: [] }) },
        config: { minify: true, entryNames: '[dir]/[name]-[hash]', chunkNames: '[name]-[hash]' },
      })
      return dir
    }
    await buildTwice(build)
    return 'ok the signed texts are the same, byte for byte'
  },
)

attacks.run()
