import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { codeOf, manifestsIn, outcomeOf, attackedVites, type ViteName } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { buildFixture } from '../support/fixture.ts'
import { newPublisher } from './signed.ts'

const files = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import("./lazy.js")',
  'src/lazy.js': 'export default 1',
}
const variants = attackedVites.flatMap((vite) =>
  ['writeBundle', 'closeBundle'].map((hook) => `${vite}, ${hook}`),
)

attack(126, 'an asynchronous hook that writes last of all', { variants }, async (variant) => {
  const [vite, hook] = variant.split(', ') as [ViteName, string]
  const { privateKey } = await newPublisher()
  let dir = ''
  const late = {
    name: 'late',
    enforce: 'post',
    configResolved: (config: { build: { outDir: string } }) => void (dir = config.build.outDir),
    [hook]: {
      order: 'post',
      sequential: true,
      async handler() {
        await sleep(60)
        await appendFile(join(dir, 'assets/lazy.js'), '\n// late')
      },
    },
  }
  const error = await outcomeOf(
    buildFixture(files, {
      vite,
      plugins: [signedImp(privateKey), late],
      config: { logLevel: 'silent' },
    }),
  )
  assert.is(codeOf(error), 'ERR_SIGNEDIMP_LATE_WRITE')
  assert.equal(manifestsIn(dir), [])
  return `refused ${codeOf(error)}`
})

attack(126, 'a tool that writes when the build is over', {}, async () => {
  const { privateKey } = await newPublisher()
  let dir = ''
  let writing: Promise<void> | undefined
  const detached = {
    name: 'detached',
    configResolved: (config: { build: { outDir: string } }) => void (dir = config.build.outDir),
    closeBundle: () =>
      void (writing = sleep(400).then(() => appendFile(join(dir, 'assets/lazy.js'), '\n// late'))),
  }
  await buildFixture(files, { plugins: [signedImp(privateKey), detached] })
  await writing
  return 'documented limit: nothing in a build can see it; pages refuse the file, and so does signedimp verify'
})

attacks.run()
