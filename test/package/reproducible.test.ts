import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runCommand } from '../support/command.ts'
import { root } from '../support/files.ts'
import { scratchFolder } from '../support/processes.ts'
import { install, pack } from './packed.ts'

/** What a build and a package are made of. */
const sources =
  'src scripts rollup.config.ts tsconfig.json tsconfig.build.json package.json README.md CHANGELOG.md LICENSE'

// Whoever has the sources can build the package and compare it with the published one.
test('built and packed in another folder, the package is the same, byte for byte', async () => {
  const checkout = join(scratchFolder(), 'another name')
  for (const path of sources.split(' '))
    cpSync(join(root, path), join(checkout, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'), 'junction')
  const build = ['--prefix', checkout, 'run', 'build']
  const env = { TZ: 'Asia/Tokyo', LC_ALL: 'C' }
  const { code, output } = await runCommand('npm', build, { timeoutMs: 120_000, env })
  assert.is(code, 0, output)
  const [here, there] = [pack(), pack(checkout)]
  assert.equal(there.paths, here.paths)
  const [mine, other] = [here, there].map((packed) => join(install(packed, []), 'node_modules'))
  for (const path of here.paths)
    assert.ok(
      readFileSync(join(mine!, 'signedimp', path)).equals(
        readFileSync(join(other!, 'signedimp', path)),
      ),
      `${path} differs; is dist built from the sources as they are?`,
    )
  assert.ok(readFileSync(here.file).equals(readFileSync(there.file)))
})

test.run()
