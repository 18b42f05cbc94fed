import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serve } from '../../playground/server.ts'
import { jsonOf, signedimp, signedimpBeside } from './run.ts'
import { signedApp } from './workplace.ts'

/** A signed app as a site, and what looks at it. */
async function deployed() {
  const { cwd, a } = await signedApp()
  const site = await serve(join(cwd, 'dist'))
  const run = (...flags: string[]) =>
    signedimpBeside(['audit', site.url, '--key', 'a.key.pub', ...flags], { cwd })
  return { cwd, a, site, run }
}

test('a site that serves what was signed has status 0', async () => {
  const { site, run } = await deployed()
  try {
    const { status, stdout, stderr } = await run('--name', 'shop', '--build', '7')
    assert.is(status, 0, stderr)
    assert.match(
      stdout,
      /^manifest +http\S+\/signedimp-manifest\.txt\nname +shop\nbuild +7\nhash +sha256\nfiles +2\nbytes +4\n$/,
    )
    assert.match(stderr, 'serves every listed file as signed; whether it serves others')
    const { url, ...report } = jsonOf(await run('--json', '--concurrency', '1'))
    assert.is(url, `${site.url}signedimp-manifest.txt`)
    assert.equal(report, {
      hash: 'sha256',
      name: 'shop',
      build: 7,
      files: 2,
      bytes: 4,
      pageManifests: [],
      missingSourceMaps: [],
    })
  } finally {
    await site.close()
  }
})

test('what differs is printed, with status 1', async () => {
  const { site, run } = await deployed()
  try {
    site.tamper('assets/a.js', 'changed')
    const { status, stdout, stderr } = await run()
    assert.is(status, 1)
    assert.match(stdout, /^changed +assets\/a\.js/)
    assert.match(stderr, 'ERR_SIGNEDIMP_FILES 1 file is not as signed: assets/a.js changed')
    const { error } = jsonOf(await run('--json'))
    assert.is(error.problems[0].path, 'assets/a.js')
  } finally {
    await site.close()
  }
})

test('a site of another name or an older build is refused', async () => {
  const { site, run } = await deployed()
  try {
    for (const [flags, code] of [
      [['--name', 'bank'], 'ERR_SIGNEDIMP_NAME'],
      [['--build', '8'], 'ERR_SIGNEDIMP_ROLLBACK'],
    ] as const) {
      const result = await run(...flags, '--json')
      assert.equal([result.status, jsonOf(result).error.code], [1, code])
    }
  } finally {
    await site.close()
  }
})

test('a site that gives no manifest, and what makes no sense, cannot be looked at', async () => {
  const { cwd, site } = await deployed()
  await site.close()
  const { url } = site
  for (const [args, message] of [
    [[url, '--key', 'a.key.pub'], 'ERR_SIGNEDIMP_NETWORK'],
    [['dist', '--key', 'a.key.pub'], 'is no http: or https: URL'],
    [['ftp://host/', '--key', 'a.key.pub'], 'is no http: or https: URL'],
    [['https://me:word@host/', '--key', 'a.key.pub'], 'URL without user, password'],
    [['https://host/?x', '--key', 'a.key.pub'], 'URL without user, password and query'],
    [[url, '--key', 'a.key.pub', '--concurrency', '0'], '--concurrency must be from 1 to 64'],
    [[url, '--key', 'a.key.pub', '--concurrency', '65'], '--concurrency must be from 1 to 64'],
    [[url, '--key', 'a.key.pub', '--threshold', '0'], '--threshold must be at least 1'],
    [[url, '--key', 'a.key.pub', '--threshold', '2'], '"threshold" is 2'],
    [[url], '--key is missing'],
  ] as const) {
    const { status, stdout, stderr } = signedimp(['audit', ...args], { cwd })
    assert.is(status, 2, stderr)
    assert.is(stdout, '')
    assert.match(stderr, message)
    assert.not.match(stderr, /^ +at /m)
  }
})

test.run()
