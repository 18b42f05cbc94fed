import { appendFileSync, readFileSync } from 'node:fs'
import { appendFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Plugin } from 'esbuild'
import * as assert from 'uvu/assert'
import { signedImp, verifyDirectory } from 'signedimp'
import { codeOf, manifestsIn, outcomeOf, attackedVites, type ViteName } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { atEnd, buildByEsbuild } from '../support/esbuild.ts'
import { buildFixture } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { throwsCode } from '../support/throws.ts'
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

const late = (dir: string) => async () => {
  await sleep(60)
  await appendFile(join(dir, 'assets/lazy.js'), '\n// late')
}

/** Where a plugin of esbuild can register an asynchronous hook that writes after the files are there. */
const places: Record<string, (dir: string) => Plugin> = {
  onEnd: (dir) => atEnd(late(dir)),
  'onEnd, registered in onStart': (dir) => ({
    name: 'late',
    setup: (build) => build.onStart(() => build.onEnd(late(dir))),
  }),
}

attack(
  126,
  'an asynchronous hook of esbuild that writes last of all',
  { variants: Object.keys(places) },
  async (variant) => {
    const { privateKey } = await newPublisher()
    const root = scratchFolder()
    const dir = join(root, 'dist')
    // Listed before ours: it runs before, or was registered before; behind it: after.
    for (const where of variant === 'onEnd' ? ['behind'] : ['before', 'behind']) {
      const building = buildByEsbuild(files, {
        root,
        key: privateKey,
        [where]: [places[variant]!(dir)],
      })
      assert.is(codeOf(await outcomeOf(building)), 'ERR_SIGNEDIMP_LATE_WRITE', where)
      assert.equal(manifestsIn(dir), [])
      await rm(dir, { recursive: true })
    }
    return 'refused ERR_SIGNEDIMP_LATE_WRITE'
  },
)

attack(126, 'a plugin of esbuild that writes when the build is over', {}, async () => {
  const { privateKey, key } = await newPublisher()
  const root = scratchFolder()
  const dir = join(root, 'dist')
  const disposing: Plugin = {
    name: 'disposing',
    setup: (build) =>
      build.onDispose(() => appendFileSync(join(dir, 'assets/lazy.js'), '\n// late')),
  }
  await buildByEsbuild(files, { root, key: privateKey, behind: [disposing] })
  for (
    let tries = 0;
    tries < 50 && !readFileSync(join(dir, 'assets/lazy.js'), 'utf8').includes('late');
    tries++
  )
    await sleep(20)
  await throwsCode(() => verifyDirectory(dir, [key]), 'ERR_SIGNEDIMP_FILES')
  return 'documented limit: nothing in a build can see it; pages refuse the file, and so does signedimp verify'
})

attacks.run()
