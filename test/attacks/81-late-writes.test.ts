import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { signedImp, verifyDirectory } from 'signedimp'
import { codeOf, manifestsIn, outcomeOf, attackedVites } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildFixture } from '../support/fixture.ts'
import { throwsCode } from '../support/throws.ts'
import { newPublisher } from './signed.ts'

const files = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import("./lazy.js")',
  'src/lazy.js': 'export default 1',
}
const hooks = ['writeBundle', 'closeBundle']
const variants = attackedVites.flatMap((vite) => hooks.map((hook) => `${vite}, ${hook}`))

// More of it, with every order of plugins, in test/bundlers/folder.test.ts.
attack(81, 'a plugin that rewrites files after they were hashed', { variants }, async (variant) => {
  const [vite, hook] = variant.split(', ') as [(typeof attackedVites)[number], string]
  const { privateKey } = await newPublisher()
  let dir = ''
  const late = {
    name: 'late',
    configResolved: (config: { build: { outDir: string } }) => void (dir = config.build.outDir),
    [hook]: () => appendFileSync(join(dir, 'assets/lazy.js'), '//# debugId=1'),
  }
  const error = await outcomeOf(
    buildFixture(files, {
      vite,
      plugins: [signedImp(privateKey), late],
      config: { logLevel: 'silent' },
    }),
  )
  assert.is(codeOf(error), 'ERR_SIGNEDIMP_LATE_WRITE')
  assert.match(error.message, 'assets/lazy.js')
  assert.equal(manifestsIn(dir), [])
  return `refused ${codeOf(error)}`
})

attack(81, 'an uploader that rewrites files after the build', {}, async () => {
  const { privateKey, key } = await newPublisher()
  const dir = await buildFixture(files, { plugins: [signedImp(privateKey)] })
  appendFileSync(join(dir, 'assets/lazy.js'), '//# debugId=1')
  const error = await throwsCode(() => verifyDirectory(dir, [key]), 'ERR_SIGNEDIMP_FILES')
  assert.match(error.message, 'assets/lazy.js changed')
  return `refused ${error.code}`
})

attacks.run()
