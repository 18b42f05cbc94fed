import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signedImp, verifyDirectory } from 'signedimp'
import { generateKey } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { buildFixture } from '../support/fixture.ts'
import { check, codeOf, filesIn, manifestsIn, outcomeOf, vites, type ViteName } from './built.ts'

// Uploaders, such as those of error trackers, take the source maps of a build away from its output.

const key = await generateKey('ed25519')
const files = {
  'index.html': '<!doctype html><script type="module" src="/src/main.js"></script>',
  'src/main.js': 'globalThis.load = () => import("./lazy.js")',
  'src/lazy.js': 'export default "one"',
}

const mapsIn = (dir: string) => filesIn(dir).filter((path) => path.endsWith('.map'))

/** Builds with a plugin that does something to each source map in a hook. */
function build(vite: ViteName, hook: string, act: (file: string) => void): Promise<string> {
  let dir = ''
  const uploader = {
    name: 'uploader',
    configResolved: (config: { build: { outDir: string } }) => void (dir = config.build.outDir),
    [hook]() {
      const maps = mapsIn(dir)
      assert.ok(maps.length >= 2, 'there are maps')
      for (const path of maps) act(join(dir, path))
    },
  }
  return buildFixture(files, {
    vite,
    plugins: [signedImp(key), uploader],
    config: { logLevel: 'silent', build: { sourcemap: 'hidden' } },
  })
}

for (const vite of vites)
  for (const hook of ['writeBundle', 'closeBundle']) {
    test(`${vite}: maps that are deleted in ${hook} are not listed`, async () => {
      const dir = await build(vite, hook, (file) => rmSync(file))
      assert.equal(mapsIn(dir), [])
      const { main } = await check(dir, key)
      assert.ok(main.files.has('assets/lazy.js'))
      const report = await verifyDirectory(dir, [toTrustedKey(key)])
      assert.equal(report.missingSourceMaps, [])
    })

    for (const [what, act] of [
      ['changed', (file: string) => appendFileSync(file, ' ')],
      ['emptied', (file: string) => writeFileSync(file, '')],
    ] as const)
      test(`${vite}: refused: maps that are ${what} in ${hook}`, async () => {
        let dir = ''
        const building = build(vite, hook, (file) => {
          dir = join(file, '../..')
          act(file)
        })
        const error = await outcomeOf(building)
        assert.is(codeOf(error), 'ERR_SIGNEDIMP_LATE_WRITE')
        assert.match(error.message, 'assets/lazy.js.map')
        assert.equal(manifestsIn(dir), [])
      })
  }

test.run()
