import { renameSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { signedImp, verifyDirectory } from 'signedimp'
import { attack, attacks } from '../support/attack.ts'
import { buildFixture } from '../support/fixture.ts'
import { throwsCode } from '../support/throws.ts'
import { newPublisher } from './signed.ts'

attack(33, 'two listed files change places in a folder', {}, async () => {
  const { privateKey, key } = await newPublisher()
  const dir = await buildFixture(
    {
      'index.html': '<script type="module" src="/src/main.js"></script>',
      'src/main.js': 'import("./yes.js"); import("./no.js")',
      'src/yes.js': 'export default true',
      'src/no.js': 'export default false',
    },
    { plugins: [signedImp(privateKey)] },
  )
  await verifyDirectory(dir, [key])
  const [yes, no, other] = ['yes.js', 'no.js', 'other'].map((name) =>
    join(dir, 'assets', name),
  ) as [string, string, string]
  renameSync(yes, other)
  renameSync(no, yes)
  renameSync(other, no)
  const error = await throwsCode(() => verifyDirectory(dir, [key]), 'ERR_SIGNEDIMP_FILES')
  for (const name of ['yes.js', 'no.js']) assert.match(error.message, `assets/${name} changed`)
  return `refused ${error.code}`
})

attacks.run()
