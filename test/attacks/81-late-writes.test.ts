import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import * as assert from 'uvu/assert'
import { signedImp, verifyDirectory } from 'signedimp'
import { codeOf, manifestsIn, outcomeOf, attackedVites } from '../bundlers/built.ts'
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

/** Hooks in which a plugin behind ours can write: its own `onEnd`, one that it registers as late as we do, and in memory. */
const late: Record<string, (dir: string) => Plugin> = {
  onEnd: (dir) => atEnd(() => appendFileSync(join(dir, 'assets/lazy.js'), '//# debugId=1')),
  'onEnd, registered in onStart': (dir) => ({
    name: 'late',
    setup: (build) =>
      build.onStart(() =>
        build.onEnd(() => appendFileSync(join(dir, 'assets/lazy.js'), '//# debugId=1')),
      ),
  }),
  'onEnd, by a file more': (dir) =>
    atEnd(() => writeFileSync(join(dir, 'assets/more.js'), 'more()')),
  'write: false': () =>
    atEnd(({ outputFiles }) => {
      const file = outputFiles!.find(({ path }) => path.endsWith('lazy.js'))!
      file.contents = Buffer.from(`${file.text}//# debugId=1`)
    }),
  'write: false, by a file more': () =>
    atEnd(({ outputFiles }) => {
      const [file] = outputFiles!
      outputFiles!.push({
        ...file!,
        path: `${file!.path}.more.js`,
        contents: Buffer.from('more()'),
      })
    }),
  'write: false, by a file less': () => atEnd(({ outputFiles }) => void outputFiles!.pop()),
}

attack(
  81,
  'a plugin of esbuild that rewrites files after they were hashed',
  { variants: Object.keys(late) },
  async (variant) => {
    const { privateKey } = await newPublisher()
    const root = scratchFolder()
    const dir = join(root, 'dist')
    const building = buildByEsbuild(files, {
      root,
      key: privateKey,
      behind: [late[variant]!(dir)],
      config: { write: !variant.startsWith('write') },
    })
    const code = codeOf(await outcomeOf(building))
    const isAdded = variant === 'onEnd, by a file more'
    assert.is(code, `ERR_SIGNEDIMP_${isAdded ? 'NOT_COVERED' : 'LATE_WRITE'}`)
    assert.equal(manifestsIn(dir), [])
    return `refused ${code}`
  },
)

attacks.run()
