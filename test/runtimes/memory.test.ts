import { spawn } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rememberBuild } from '../../src/hooks/memory.ts'
import { newPublisher } from '../attacks/signed.ts'
import { endOf } from '../support/child.ts'
import { writeFiles } from '../support/fixture.ts'
import { root } from '../support/files.ts'
import { scratchFolder } from '../support/processes.ts'
import type { Runtime } from '../support/runtimes.ts'
import {
  nodeEntry,
  runProgram,
  servers,
  sign,
  type Program,
  type RunOptions,
} from '../support/server-program.ts'
import { skip } from '../support/skip.ts'
import { throwsCode } from '../support/throws.ts'

// Programs whose folder holds an older release again, validly signed, and what remembers that there was a newer one.

const rollback = 'ERR_SIGNEDIMP_ROLLBACK'
const notEnforceable = 'ERR_SIGNEDIMP_NOT_ENFORCEABLE'

// In one process.

const [ann, bea] = await Promise.all([newPublisher(), newPublisher()])

interface Release {
  build?: number | undefined
  trusted?: (typeof ann)[]
  by?: (typeof ann)[]
  base?: string
  name?: string
}

/** Starts a release, as far as the memory has to do with it. */
function visit(memory: string, { build, trusted = [ann], ...rest }: Release): void {
  const { by = trusted, base = '/srv/shop/current', name = 'shop' } = rest
  const signers = by.map(({ key }) => key.fingerprint)
  const folder = '/srv/shop/releases/x/'
  rememberBuild(
    memory,
    { base, name, keys: trusted.map(({ key }) => key) },
    { folder, build, signers },
  )
}

const refuses = (memory: string, release: Release) =>
  throwsCode(() => visit(memory, release), rollback)

test('a lower build is refused, and only the highest is kept, as the document says', async () => {
  const memory = scratchFolder()
  for (const build of [9, 41, 41]) visit(memory, { build })
  await refuses(memory, { build: 40 })
  await refuses(memory, {})
  const [name, ...others] = readdirSync(memory)
  assert.equal(others, [])
  assert.match(name!, /^[0-9a-f]{32}\.41$/)
  const note = { base: '/srv/shop/current', name: 'shop', key: ann.key.fingerprint, build: 41 }
  assert.is(readFileSync(join(memory, name!), 'utf8'), `${JSON.stringify(note)}\n`)
})

test('another base, name and key know nothing of it', async () => {
  const memory = scratchFolder()
  visit(memory, { build: Number.MAX_SAFE_INTEGER })
  visit(memory, { build: 1, base: '/srv/shop/next' })
  visit(memory, { build: 1, name: 'shop/staging' })
  visit(memory, { build: 1, trusted: [bea] })
  await refuses(memory, { build: 42, base: '/srv/shop/current/' })
  await refuses(memory, { build: 42, trusted: [ann, bea], by: [bea] })
})

test('a change of keys by way of both keeps the memory', async () => {
  const memory = scratchFolder()
  visit(memory, { build: 41 })
  await refuses(memory, { build: 40, trusted: [ann, bea] })
  visit(memory, { build: 42, trusted: [ann, bea] })
  await refuses(memory, { build: 41, trusted: [bea] })
})

test('nothing is written where nothing is new', () => {
  const memory = scratchFolder()
  visit(memory, { build: 41 })
  const { mtimeMs } = statSync(memory)
  visit(memory, { build: 41 })
  assert.is(statSync(memory).mtimeMs, mtimeMs)
})

test('a lower note that comes late changes nothing, nor what a crash left', async () => {
  const [memory, late] = [scratchFolder(), scratchFolder()]
  visit(memory, { build: 42 })
  visit(late, { build: 41 })
  for (const name of readdirSync(late)) copyFileSync(join(late, name), join(memory, name))
  writeFileSync(join(memory, '.half'), '{"ba')
  await refuses(memory, { build: 41 })
  visit(memory, { build: 43 })
  assert.is(readdirSync(memory).filter((name) => !name.startsWith('.')).length, 1)
})

test('a process that has looked before another one noted a higher build takes nothing back', async () => {
  const memory = scratchFolder()
  visit(memory, { build: 40 })
  const asked = { base: '/srv/shop/current', name: 'shop', keys: [ann.key] }
  const signers = {
    *[Symbol.iterator]() {
      visit(memory, { build: 42 })
      yield ann.key.fingerprint
    },
  } as unknown as string[]
  rememberBuild(memory, asked, { folder: '/none/', build: 41, signers })
  await refuses(memory, { build: 41 })
  visit(memory, { build: 42 })
})

const damages: Record<string, (memory: string, name: string) => void> = {
  'has another build in its name': (memory, name) =>
    copyFileSync(join(memory, name), join(memory, name.replace(/\d+$/, '7'))),
  'has no number in its name': (memory, name) =>
    copyFileSync(join(memory, name), join(memory, `${name}x`)),
  'is empty': (memory, name) => writeFileSync(join(memory, name), ''),
  'was cut off': (memory, name) =>
    writeFileSync(join(memory, name), readFileSync(join(memory, name)).subarray(0, -2)),
  'is a folder': (memory, name) => {
    rmSync(join(memory, name))
    mkdirSync(join(memory, name))
  },
}

for (const [what, damage] of Object.entries(damages))
  test(`a note that ${what} is refused`, async () => {
    const memory = scratchFolder()
    visit(memory, { build: 41 })
    damage(memory, readdirSync(memory)[0]!)
    await throwsCode(() => visit(memory, { build: 42 }), notEnforceable)
  })

const nowhere: Record<string, () => string> = {
  'is not there': () => join(scratchFolder(), 'none'),
  'is a file': () => {
    const file = join(scratchFolder(), 'file')
    writeFileSync(file, '')
    return file
  },
  // Where not even root can make a file.
  'takes no file': () => '/proc',
}

for (const [what, make] of Object.entries(nowhere))
  test(`a folder that ${what} is refused`, async () => {
    const memory = make()
    const { message } = await throwsCode(() => visit(memory, { build: 41 }), notEnforceable)
    assert.match(message, /builds cannot be remembered there \(E[A-Z]+/)
  })

test('a folder in the root is a mistake', () => {
  const folder = scratchFolder()
  const memory = join(folder, 'builds')
  mkdirSync(memory)
  const asked = { base: folder, name: 'shop', keys: [ann.key] }
  for (const place of [memory, folder])
    assert.throws(
      () => rememberBuild(place, asked, { folder: `${folder}/`, build: 1, signers: [] }),
      (error: Error) => error instanceof TypeError && /"remember" .* lies in/.test(error.message),
    )
})

// Whole programs.

interface Shop {
  /** By build. */
  releases: Map<number, Program>
  /** The link to the release that is out. */
  current: string
  memory: string
  /** What programs are told. */
  env: Record<string, string>
}

async function openShop(builds: readonly number[], main = `console.log('ran')`): Promise<Shop> {
  const folder = scratchFolder()
  const releases = new Map<number, Program>()
  let signer: Program['signer'] | undefined
  for (const build of builds) {
    const dir = join(folder, 'releases', String(build))
    await writeFiles(dir, { 'main.mjs': main, 'part.mjs': `console.log('part')` })
    const program = await sign(dir, signer, build)
    signer = program.signer
    releases.set(build, program)
  }
  const current = join(folder, 'current')
  const memory = join(folder, 'builds')
  mkdirSync(memory)
  return { releases, current, memory, env: { SIGNEDIMP_ROOT: current, SIGNEDIMP_REMEMBER: memory } }
}

/** Puts a release out, and starts it. */
function start(runtime: Runtime, shop: Shop, build: number, options: RunOptions = {}) {
  rmSync(shop.current, { force: true })
  symlinkSync(`releases/${build}`, shop.current)
  const program = { ...shop.releases.get(build)!, folder: shop.current }
  return runProgram(runtime, program, { env: shop.env, ...options })
}

const ran = { status: 0, stdout: 'ran\n', stderr: '' }

function assertRefused(
  { status, stdout, stderr }: ReturnType<typeof start>,
  code = rollback,
): void {
  assert.equal([status, stdout], [1, ''])
  assert.is(stderr.split(' ')[1], code, stderr)
}

for (const runtime of servers) {
  const title = `${runtime.name}: an older release does not start after a newer one, newer ones do`
  if (runtime.missing) skip(test, title, runtime.missing)
  else
    test(title, async () => {
      const shop = await openShop([41, 42, 43])
      assert.equal(start(runtime, shop, 41), ran)
      assert.equal(start(runtime, shop, 42), ran)
      assertRefused(start(runtime, shop, 41))
      assert.equal(start(runtime, shop, 42), ran)
      assert.equal(start(runtime, shop, 43), ran)
      rmSync(shop.memory, { recursive: true })
      assertRefused(start(runtime, shop, 43), notEnforceable)
      mkdirSync(shop.memory)
      assert.equal(start(runtime, shop, 41), ran)
    })
}

/** Starts releases at once with others: each either starts or is one too old. */
const racer = `import { rememberBuild } from ${JSON.stringify(join(root, 'src/hooks/memory.ts'))}
const [memory, asked, first] = JSON.parse(process.argv[2])
for (let build = first; build < 200; build += 4)
  try {
    rememberBuild(memory, asked, { folder: '/none/', build, signers: [asked.keys[0].fingerprint] })
  } catch (error) {
    if (error.code !== '${rollback}') throw error
  }
`

test('many processes at once: the highest build stays', async () => {
  const folder = scratchFolder()
  const memory = join(folder, 'builds')
  mkdirSync(memory)
  writeFileSync(join(folder, 'racer.ts'), racer)
  const asked = { base: '/srv/shop/current', name: 'shop', keys: [ann.key] }
  const ends = await Promise.all(
    [0, 1, 2, 3].map((first) => {
      const args = ['--import', 'tsx', join(folder, 'racer.ts')]
      const told = JSON.stringify([memory, asked, first])
      return endOf(spawn(process.execPath, [...args, told], { cwd: root, stdio: 'pipe' }))
    }),
  )
  for (const { status, stderr } of ends) assert.equal([status, stderr], [0, ''])
  await refuses(memory, { build: 198 })
  visit(memory, { build: 199 })
  assert.equal(
    readdirSync(memory).filter((name) => name.startsWith('.')),
    [],
  )
})

const [node] = servers as [Runtime]

/** Starts a thread when the next release is out, and was started: by the link that programs are told of, too. */
const late = `import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
const { SIGNEDIMP_ROOT: current, SIGNEDIMP_REMEMBER: folder } = process.env
const [name] = readdirSync(folder)
const next = readFileSync(folder + '/' + name, 'utf8').replace('"build":41', '"build":42')
writeFileSync(folder + '/' + name.replace(/41$/, '42'), next)
rmSync(current)
symlinkSync('releases/42', current)
new Worker(new URL('part.mjs', import.meta.url))
`

for (const runtime of servers.filter(({ name }) => !name.startsWith('deno'))) {
  const title = `${runtime.name}: what a program starts is of its release, and does not look`
  if (runtime.missing) skip(test, title, runtime.missing)
  else
    test(title, async () => {
      const shop = await openShop([41, 42], late)
      assert.equal(start(runtime, shop, 41), { ...ran, stdout: 'part\n' })
      assertRefused(start(runtime, shop, 41))
    })
}

test('roots of a manager are remembered, too', async () => {
  const shop = await openShop([41, 42])
  const boot = join(shop.memory, '../boot.mjs')
  const [{ pem }] = shop.releases.values() as unknown as [Program]
  const options = JSON.stringify({
    keys: [pem],
    name: 'shop',
    remember: shop.memory,
    allow: [boot],
  })
  writeFileSync(
    boot,
    `import { SignedImportManager } from ${JSON.stringify(pathToFileURL(nodeEntry).href)}
const manager = new SignedImportManager(${options}).install()
const base = process.argv[2]
await manager.addRoot(base).then(() => manager.import(base + '/main.mjs'), ({ code }) => console.log(code))`,
  )
  const how = { isPlain: true, entry: '../boot.mjs', args: [shop.current], env: {} }
  const said = [41, 42, 41].map((build) => start(node, shop, build, how))
  assert.equal(said, [ran, ran, { ...ran, stdout: `${rollback}\n` }])
})

const mistakes: Record<string, [env: Record<string, string>, words: RegExp]> = {
  'no root': [{ SIGNEDIMP_REMEMBER: '/none' }, /SIGNEDIMP_ROOT must be given/],
  'an empty text': [
    { SIGNEDIMP_ROOT: '/none', SIGNEDIMP_REMEMBER: '' },
    /"remember" must be a path/,
  ],
  'a configuration': [
    { SIGNEDIMP_CONFIG: 'none.json', SIGNEDIMP_REMEMBER: '/none' },
    /SIGNEDIMP_REMEMBER and SIGNEDIMP_CONFIG: give one/,
  ],
}

for (const [what, [env, words]] of Object.entries(mistakes))
  test(`SIGNEDIMP_REMEMBER with ${what}: nothing starts`, async () => {
    const { status, stdout, stderr } = start(node, await openShop([41]), 41, { env })
    assert.equal([status, stdout], [1, ''])
    assert.match(stderr, words)
  })

test('SIGNEDIMP_REMEMBER alone starts nothing', async () => {
  const shop = await openShop([41])
  const env = { SIGNEDIMP_REMEMBER: shop.memory }
  const flags = ['--import', pathToFileURL(nodeEntry).href]
  const { status, stderr } = start(node, shop, 41, { isPlain: true, flags, env })
  assert.is(status, 1)
  assert.match(stderr, 'SIGNEDIMP_KEY must be given')
})

test("a configuration's folder is relative to its own", async () => {
  const shop = await openShop([41, 42])
  const config = join(shop.memory, '../signedimp.json')
  const [{ pem }] = shop.releases.values() as unknown as [Program]
  const text = { keys: [pem], name: 'shop', root: 'current', remember: 'builds' }
  writeFileSync(config, JSON.stringify(text))
  const env = { SIGNEDIMP_CONFIG: config }
  assert.equal(start(node, shop, 42, { env }), ran)
  assertRefused(start(node, shop, 41, { env }))
})

test.run()
