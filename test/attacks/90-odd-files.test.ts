import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { signedImp } from 'signedimp'
import { check, codeOf, manifestsIn, outcomeOf } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { atEnd, buildByEsbuild } from '../support/esbuild.ts'
import { buildFixture } from '../support/fixture.ts'
import { scratchFolder } from '../support/processes.ts'
import { newPublisher } from './signed.ts'

// Files that no bundler made, but a plugin, or a folder that is copied. More of them in test/bundlers/paths.test.ts.

const files = {
  'index.html': '<script type="module" src="/src/main.js"></script>',
  'src/main.js': 'import("./lazy.js")',
  'src/lazy.js': 'export default 1',
}
const odd = [
  '.well-known/a.txt',
  '.dot',
  '100%25.txt',
  '[id].txt',
  'a b.txt',
  'café.txt',
  'x.css.map',
]

/** Writes the odd files into a folder. */
function put(dir: string): void {
  mkdirSync(join(dir, '.well-known'), { recursive: true })
  for (const name of odd) writeFileSync(join(dir, name), name)
}

const bundlers = ['vite', 'esbuild'] as const

attack(90, 'odd files', { variants: bundlers }, async (bundler) => {
  const { privateKey } = await newPublisher()
  const dir = await (bundler === 'vite' ? byVite(privateKey) : byEsbuild(privateKey, put))
  const { main } = await check(dir, privateKey)
  for (const name of odd) assert.ok(main.files.has(name), name)
  assert.equal(
    manifestsIn(dir).filter((path) => main.files.has(path)),
    [],
  )
  return 'ok each is listed once, and no manifest lists itself'
})

type Key = Parameters<typeof signedImp>[0]

const byVite = (key: Key) =>
  buildFixture(
    { ...files, ...Object.fromEntries(odd.map((name) => [`public/${name}`, name])) },
    { plugins: [signedImp(key!)], config: { logLevel: 'silent' } },
  )

async function byEsbuild(key: Key, work: (dir: string) => void, behind = false): Promise<string> {
  const root = scratchFolder()
  const plugin = atEnd(() => work(join(root, 'dist')))
  const { dir } = await buildByEsbuild(files, {
    root,
    key: key!,
    ...(behind ? { behind: [plugin] } : { before: [plugin] }),
  })
  return dir
}

const links: Record<string, (dir: string) => void> = {
  'to a file': (dir) => symlinkSync('index.html', join(dir, 'link.txt')),
  'to a folder': (dir) => symlinkSync('assets', join(dir, 'link')),
  'to nothing': (dir) => symlinkSync('nowhere', join(dir, 'link')),
  'out of the folder': (dir) => symlinkSync('/etc/hostname', join(dir, 'link.txt')),
}

attack(90, 'links in the output of esbuild', { variants: Object.keys(links) }, async (variant) => {
  const { privateKey } = await newPublisher()
  const codes: (string | undefined)[] = []
  for (const behind of [false, true]) {
    const work = (dir: string) => {
      mkdirSync(dir, { recursive: true })
      links[variant]!(dir)
    }
    codes.push(codeOf(await outcomeOf(byEsbuild(privateKey, work, behind))))
  }
  assert.equal(codes, ['ERR_SIGNEDIMP_PATH', 'ERR_SIGNEDIMP_PATH'])
  return `refused ${codes[0]}`
})

attacks.run()
