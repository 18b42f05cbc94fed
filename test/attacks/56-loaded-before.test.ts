import { generateKey } from '../../src/keys/generate.ts'
import { type AppBundler, type TestSite } from '../support/app.ts'
import { attack, attacks } from '../support/attack.ts'
import { headStarts, tryHeadStart } from '../support/head-start.ts'
import { serveApps } from '../support/served-apps.ts'

// What is loaded or said before the import map, and would weaken it: 56, 58, 96-100, 113. What becomes of each in
// every engine is in test/browser/enforcement.test.ts.

let folder: string
let site: TestSite

const apps = serveApps(await generateKey('ed25519'))

const turnTo = (bundler: AppBundler) => void ([folder, site] = apps[bundler])

const titles = (pattern: RegExp) => Object.keys(headStarts).filter((title) => pattern.test(title))

const rows: [number, title: string, variants: string[]][] = [
  [56, 'earlier', titles(/^import map/)],
  [58, 'without integrity', titles(/^modulepreload/)],
  [96, 'a map that may be refused', titles(/^(import map that is empty|inline module|module tag)/)],
  [97, 'in the module map before', titles(/^(modulepreload|module tag|preload).* the chunk$/)],
  [98, 'rules that may be dropped', titles(/^import\(\)/)],
  [100, 'integrity that engines ignore', titles(/integrity/)],
  [113, 'deny-all that may be dropped', titles(/ of another module$/)],
]

for (const [number, title, variants] of rows)
  attack(number, title, { engines: 'all', variants, turnTo }, async (page, { name }, variant) => {
    const code = await tryHeadStart(page, name, site, folder, headStarts[variant]!, true)
    if (!['ERR_SIGNEDIMP_NOT_ENFORCEABLE', 'ERR_SIGNEDIMP_CHANGED'].includes(code))
      throw new Error(`not refused: ${code}`)
    return `refused ${code}`
  })

attacks.run()
