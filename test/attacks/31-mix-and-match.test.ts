import { cpSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { signedImp, verifyDirectory } from 'signedimp'
import { attack, attacks } from '../support/attack.ts'
import { buildFixture } from '../support/fixture.ts'
import { throwsCode } from '../support/throws.ts'
import { newPublisher } from './signed.ts'

const files = (text: string) => ({
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import("./lazy.js")',
  'src/lazy.js': `export default "${text}"`,
})

attack(
  31,
  'the manifest of one build with chunks of another',
  { variants: ['one chunk', 'all chunks', 'the manifest'] },
  async (variant) => {
    const { privateKey, key } = await newPublisher()
    const [one, two] = await Promise.all(
      ['one', 'two'].map((text) => buildFixture(files(text), { plugins: [signedImp(privateKey)] })),
    )
    for (const dir of [one!, two!]) await verifyDirectory(dir, [key])
    const moved = {
      'one chunk': ['assets/lazy.js'],
      'all chunks': ['assets'],
      'the manifest': ['signedimp-manifest.txt'],
    }[variant]!
    for (const path of moved) cpSync(join(two!, path), join(one!, path), { recursive: true })
    const error = await throwsCode(() => verifyDirectory(one!, [key]), 'ERR_SIGNEDIMP_FILES')
    assert.match(error.message, 'assets/lazy.js')
    return `refused ${error.code}`
  },
)

attacks.run()
