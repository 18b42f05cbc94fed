import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey, signedImp } from '../../dist/index.js'
import { buildApp } from '../../playground/build.ts'
import { serve } from '../../playground/server.ts'
import { inEngines, type EngineName } from '../support/browsers.ts'
import { scratchFolder } from '../support/processes.ts'

// Where the files are × how the page carries the bootstrap × which Vite and key, each engine with three of the nine.
const cases: [
  EngineName,
  base: string,
  inline: boolean | 'all',
  'vite' | 'vite5' | 'vite6' | 'vite7',
][] = [
  ['chromium', './', true, 'vite'],
  ['chromium', '/app/', 'all', 'vite5'],
  ['chromium', 'another origin', false, 'vite6'],
  ['firefox', './', 'all', 'vite6'],
  ['firefox', '/app/', false, 'vite7'],
  ['firefox', 'another origin', true, 'vite'],
  ['webkit', './', false, 'vite5'],
  ['webkit', '/app/', true, 'vite'],
  ['webkit', 'another origin', 'all', 'vite7'],
]

const scratch = scratchFolder()
const keys = [generateKey('rsa-pss'), generateKey('ed25519'), generateKey('ecdsa-p256')]

cases.forEach(([engine, base, inline, vite], at) => {
  const title = `the app runs below ${base}, bootstrap inline: ${inline}, ${vite}`
  inEngines(
    test,
    title,
    async (page) => {
      const outDir = join(scratch, String(at))
      mkdirSync(outDir)
      const other = base === 'another origin' ? await serve(outDir, { cors: true }) : undefined
      const plugin = signedImp(await keys[at % keys.length]!, {
        inline,
        build: 7,
        hash: (['sha256', 'sha384', 'sha512'] as const)[at % 3]!,
        expires: '2099-01-01T00:00:00Z',
      })
      await buildApp(outDir, { vite, base: other?.url ?? base, plugins: [plugin] })
      const site = await serve(outDir, { base: base === '/app/' ? base : '/' })
      try {
        await page.goto(`${site.url}#cart`)
        const url = await page.waitFor<string>('globalThis.__urls?.Cart')
        assert.ok(url.startsWith(other?.url ?? site.url), url)
        assert.match(url, /\/Cart-[\w-]+\.js$/)
      } finally {
        await site.close()
        await other?.close()
      }
    },
    { engines: [engine] },
  )
})

test.run()
