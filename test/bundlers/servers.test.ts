import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SignedImpOptions } from 'signedimp'
import { toTrustedKey } from '../../src/keys/public.ts'
import { bundlers, buildProgram, key, type Format } from '../support/server-app.ts'
import { check, codeOf, filesIn, outcomeOf, textIn } from './built.ts'

// Builds for servers: what becomes of their files, and what is refused. What they do when they run is in test/runtimes.

const formats: readonly Format[] = ['esm', 'cjs']
const extension = { esm: '.js', cjs: '.cjs' }

/** A file's text without the folder that it was built in, and without hashes of names. */
const bare = (dir: string, path: string): string =>
  textIn(dir, path).replace(/signedimp-test-\w+|-[\w-]{8}(?=\.)/g, '')

/** Builds a program that must be refused. */
const refused = async (...given: Parameters<typeof buildProgram>): Promise<Error> =>
  outcomeOf(buildProgram(...given))

const oneEntry = (code: string): Record<string, string> => ({ 'src/server.js': code })

for (const bundler of bundlers)
  for (const format of formats) {
    const is = extension[format]

    test(`${bundler}, ${format}: entries become bootstraps, and all files are listed`, async () => {
      const dist = await buildProgram(bundler, { format })
      const { main, pages } = await check(dist, key, 'program')
      assert.is(pages.size, 0)
      for (const name of ['server', 'admin']) {
        assert.ok(main.files.has(`${name.slice(0, -1)}_${is}`), filesIn(dist).join())
        assert.match(textIn(dist, name + is), toTrustedKey(key).fingerprint)
      }
      const own = filesIn(dist).filter((path) => /^(server|admin)\./.test(path))
      assert.equal(own, [`admin${is}`, `server${is}`])
    })

    test(`${bundler}, ${format}: chunks stay as the bundler made them`, async () => {
      const signed = await buildProgram(bundler, { format })
      const plain = await buildProgram(bundler, { format, signed: { mode: 'off' } })
      const main = (name: string) => `${name.slice(0, -1)}_${is}`
      for (const name of ['server', 'admin'])
        assert.is(bare(signed, main(name)), bare(plain, name + is))
    })

    test(`${bundler}, ${format}: what is outside of the output is refused by its name`, async () => {
      const files = oneEntry(
        'import express from "express"\nimport "node:fs"\nimport "os"\nexpress()',
      )
      const built = { format, files, entries: ['server'], external: ['express'] }
      const { message } = await refused(bundler, built)
      assert.is(codeOf({ message } as Error), 'ERR_SIGNEDIMP_NOT_COVERED')
      assert.match(message, 'express: imported by server')
      assert.match(message, "unverified: ['express']")
      assert.not.match(message, /\b(os|fs):/)
      const dist = await buildProgram(bundler, { ...built, signed: { unverified: ['express'] } })
      assert.match(textIn(dist, `server${is}`), '"express"')
    })

    test(`${bundler}, ${format}: the line that says what runs a script stays first`, async () => {
      const files = oneEntry('#!/usr/bin/env node\nconsole.log(1)\n')
      const dist = await buildProgram(bundler, { format, files, entries: ['server'] })
      assert.match(textIn(dist, `server${is}`), /^#!\/usr\/bin\/env node\n/)
    })
  }

for (const bundler of bundlers) {
  // Vite's configuration is that of the pages, too.
  if (bundler !== 'vite')
    test(`${bundler}: options of pages are refused`, async () => {
      for (const signed of [
        { inline: false },
        { tags: true },
        { reportTo: '/r' },
      ] as SignedImpOptions[]) {
        const { message } = await refused(bundler, { signed })
        assert.match(message, `"${Object.keys(signed)[0]}" must be left out of a build for servers`)
      }
    })

  test(`${bundler}: report-only is for pages`, async () => {
    const { message } = await refused(bundler, { signed: { mode: 'report-only' } })
    assert.match(message, `"mode" must be 'on' or 'off' in a build for servers`)
  })

  test(`${bundler}: an export called "then" is refused`, async () => {
    const files = oneEntry('export const then = 1')
    const { message } = await refused(bundler, { files, entries: ['server'] })
    assert.match(message, 'exports "then"')
  })
}

test.run()
