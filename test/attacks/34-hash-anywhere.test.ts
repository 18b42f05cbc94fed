import { cpSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { signedImp, verifyDirectory } from 'signedimp'
import { createGraph } from '../../src/emit/graph.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildFixture } from '../support/fixture.ts'
import { throwsCode } from '../support/throws.ts'
import { file, newPublisher, signed, textOf, verdict } from './signed.ts'

attack(
  34,
  'listed bytes under another name',
  { variants: ['assets/copy.js', 'main.js', 'assets/deep/main.js'] },
  async (copy) => {
    const { privateKey, key } = await newPublisher()
    const dir = await buildFixture(
      { 'index.html': '<script type="module" src="/src/main.js"></script>', 'src/main.js': '1' },
      { plugins: [signedImp(privateKey)] },
    )
    cpSync(join(dir, 'assets/index.js'), join(dir, copy))
    const error = await throwsCode(() => verifyDirectory(dir, [key]), 'ERR_SIGNEDIMP_FILES')
    assert.match(error.message, `${copy} unlisted`)
    return `refused ${error.code}`
  },
)

attack(
  34,
  'a path that looks like a pattern',
  { variants: ['*', '**', 'assets/*', '*.js', '.*'], quick: true },
  async (path) => {
    const publisher = await newPublisher()
    const bytes = await signed(textOf({ files: [file(path)] }), publisher)
    assert.is(await verdict(bytes, { keys: [publisher.key] }), 'ok accepted')
    const output = new Map([[path, { path, isModule: true, isEntry: false }]])
    assert.is(createGraph(output, '/').resolve('index.html', '/assets/a.js'), undefined)
    assert.is(createGraph(output, '/').resolve('index.html', '/' + path), path)
    return 'ok it is the name of one file'
  },
)

attacks.run()
