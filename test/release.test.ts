import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { root } from './support/files.ts'
import { writeFiles } from './support/fixture.ts'
import { scratchFolder } from './support/processes.ts'
import { skip } from './support/skip.ts'

const version = '1.2.3'
const url = 'git+https://github.com/someone/signedimp.git'
const changelog = '# Changelog\n\n## [1.2.3] - 2026-12-01\n'

interface Checkout {
  tag?: string
  repository?: { url: string } | undefined
  changelog?: string
  where?: string
}

/** What `.ci/check-release` says of a checkout. */
async function checkRelease(given: Checkout) {
  const { tag, where, ...rest } = { tag: 'v1.2.3', where: 'someone/signedimp', ...given }
  const { repository, changelog: text } = { repository: { url }, changelog, ...rest }
  const folder = scratchFolder()
  cpSync(join(root, '.ci'), join(folder, '.ci'), { recursive: true })
  const manifest = JSON.stringify({ type: 'module', version, repository })
  await writeFiles(folder, { 'package.json': manifest, 'CHANGELOG.md': text })
  return spawnSync(join(folder, '.ci/check-release'), [tag], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, GITHUB_REPOSITORY: where },
  })
}

const refusals: Record<string, [Checkout, RegExp]> = {
  'another tag than the version': [{ tag: 'v1.2.4' }, /the tag is v1\.2\.4.* 1\.2\.3/],
  'a tag without its v': [{ tag: '1.2.3' }, /the tag is 1\.2\.3/],
  'a changelog that calls it unreleased': [
    { changelog: '## [Unreleased] 1.2.3\n' },
    /CHANGELOG\.md has no line '## \[1\.2\.3\] - <date>'/,
  ],
  'a changelog of another version': [
    { changelog: '## [1.2.34] - 2026-12-01\n## [1x2.3] - 2026-12-01\n' },
    /CHANGELOG\.md has no line/,
  ],
  'a package that names no repository': [{ repository: undefined }, /repository\.url is ''/],
  'a package of another repository': [{ where: 'evil/signedimp' }, /not that of evil\/signedimp/],
}

if (process.platform === 'win32') skip(test, 'releases are checked', 'Windows runs no shell script')
else {
  test('a tag may be released when version, changelog and repository say the same', async () => {
    const { status, stderr } = await checkRelease({})
    assert.is(stderr, '')
    assert.is(status, 0)
  })

  for (const [what, [given, message]] of Object.entries(refusals))
    test(`not to be released: ${what}`, async () => {
      const { status, stderr } = await checkRelease(given)
      assert.is(status, 1)
      assert.match(stderr, message)
    })
}

// Prettier has parsed it; this is who may do what in it.
const workflow = readFileSync(join(root, '.github/workflows/release.yml'), 'utf8')

test('a release is checked and tested before it is published', () => {
  const order = ['check-release', '.ci/run', 'npm pack', 'npm publish'].map((step) =>
    workflow.indexOf(step),
  )
  assert.ok(order.every((place) => place > 0))
  assert.equal(
    order,
    [...order].sort((a, b) => a - b),
  )
  assert.match(workflow, /publish \S+ --provenance --access public/)
  assert.match(workflow, /\n {2}publish:\n {4}needs: build\n/)
})

test('only the job that publishes can prove who it is, and it has nothing of the repository', () => {
  const [head, publish] = workflow.split(/\n {2}publish:\n/)
  assert.match(head!, /\npermissions: \{\}\n/)
  assert.is(workflow.match(/: write/g)!.length, 1)
  assert.match(publish!, 'id-token: write')
  assert.not.match(publish!, /checkout|npm (ci|install|run)/)
})

test.run()
