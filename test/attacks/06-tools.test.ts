import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { serve } from '../../playground/server.ts'
import { storeManifest } from '../../src/manifest/sign.ts'
import { elementsOf } from '../emit/emitted.ts'
import { jsonOf, signedimp, signedimpBeside, type Run } from '../cli/run.ts'
import { attack, attacks } from '../support/attack.ts'
import { scratchFolder } from '../support/processes.ts'
import { readFrom, sha256, writeInto } from '../tree/folder.ts'
import {
  bytesOf,
  expect,
  file,
  lineOf,
  newPublisher,
  signaturesOf,
  signed,
  textOf,
  withHeader,
  type Publisher,
} from './signed.ts'

// Attacks on manifests and folders, against the command line as a process: what looks at folders, zip files and sites.

const manifest = 'signedimp-manifest.txt'
const honest = [file('a.js', sha256('a'))]

interface World {
  cwd: string
  one: Publisher
  two: Publisher
}

/** A folder `dist` with one file, and the keys of two publishers. */
async function world(): Promise<World> {
  const cwd = scratchFolder()
  writeInto(cwd, 'dist/a.js', 'a')
  const [one, two] = [await newPublisher(), await newPublisher()]
  for (const [name, { privateKey }] of Object.entries({ one, two })) {
    const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })
    writeFileSync(join(cwd, `${name}.pub`), pem)
    writeFileSync(join(cwd, name), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  }
  return { cwd, one, two }
}

const zip = (cwd: string) =>
  execFileSync('zip', ['-qr', '../app.zip', '.'], { cwd: join(cwd, 'dist') })

/** What each tool says that trusts a manifest: of a folder, a zip file, and a site. All must say the same. */
async function verdictOfTools(cwd: string, bytes: Uint8Array, flags: string[]): Promise<string> {
  writeInto(cwd, `dist/${manifest}`, bytes)
  zip(cwd)
  const site = await serve(join(cwd, 'dist'))
  const verdicts = new Set<string>()
  try {
    for (const args of [
      ['verify', 'dist'],
      ['verify', 'app.zip'],
      ['audit', site.url],
      ['graph', 'dist'],
      ['export', 'app.zip', '--as', 'integrity'],
    ])
      verdicts.add(outcomeOf(await signedimpBeside([...args, ...flags, '--json'], { cwd })))
  } finally {
    await site.close()
  }
  assert.is(verdicts.size, 1, [...verdicts].join())
  return [...verdicts][0]!
}

function outcomeOf(run: Run): string {
  const { error } = jsonOf(run)
  if (error === undefined) return `ok status ${run.status}`
  assert.is.not(run.status, 0)
  return `refused ${error.code ?? error.message}`
}

const both = ['--key', 'one.pub', '--key', 'two.pub']
const directives = (...more: string[]) => ['# signedimp: 1', '# name: shop', ...more]
const text = (...more: string[]) => textOf({ directives: directives(...more), files: honest })
const past = '# expires: 2001-01-01T00:00:00Z'

/** A line with a changed signature. */
async function lineWith(by: Publisher, change: (signature: Buffer) => Uint8Array): Promise<string> {
  const [own] = await signaturesOf(text(), by)
  return lineOf(own!.fingerprint, own!.scheme, change(Buffer.from(own!.signature)))
}

const same = (signature: Buffer) => signature
const flipped = (signature: Buffer) => Buffer.from(signature.map((byte, at) => byte ^ +(at === 9)))

interface Try {
  number: number
  make: (world: World) => Promise<Uint8Array>
  flags: string[]
  code: string
}

const only = ['--key', 'one.pub']
const tries: Record<string, Try> = {
  'an unknown key counts for nothing': {
    number: 6,
    make: async ({ one }) => signed(text(), await newPublisher(), one),
    flags: [...both, '--threshold', '2'],
    code: 'SIGNATURE',
  },
  'one of two signatures is wrong': {
    number: 7,
    make: async ({ one, two }) =>
      withHeader((await lineWith(one, same)) + (await lineWith(two, flipped)), text()),
    flags: both,
    code: 'SIGNATURE',
  },
  'one signature, twice': {
    number: 8,
    make: async ({ one }) => withHeader((await lineWith(one, same)).repeat(2), text()),
    flags: [...both, '--threshold', '2'],
    code: 'SIGNATURE',
  },
  'a weaker hash, edited': {
    number: 12,
    make: async ({ one }) =>
      storeManifest(await signaturesOf(text(), one), bytesOf(text().replace('sha256', 'md5'))),
    flags: only,
    code: 'SIGNATURE',
  },
  'a weaker hash, signed': {
    number: 12,
    make: async ({ one }) =>
      signed(textOf({ hash: 'md5', files: ['0cc175b9c0f1b6a831c399e269772661 a.js'] }), one),
    flags: only,
    code: 'MANIFEST_INVALID',
  },
  'a signature in another base64': {
    number: 26,
    make: async ({ one }) => withHeader((await lineWith(one, same)).replace(/\n$/, '=\n'), text()),
    flags: only,
    code: 'MANIFEST_INVALID',
  },
  'a hash in capitals': {
    number: 26,
    make: ({ one }) => signed(textOf({ files: [`${sha256('a').toUpperCase()} a.js`] }), one),
    flags: only,
    code: 'MANIFEST_INVALID',
  },
  'a signature of zeros': {
    number: 27,
    make: async ({ one }) => withHeader(await lineWith(one, () => Buffer.alloc(64)), text()),
    flags: only,
    code: 'SIGNATURE',
  },
  'a signature with a byte more': {
    number: 27,
    make: async ({ one }) =>
      withHeader(await lineWith(one, (own) => Buffer.concat([own, Buffer.of(0)])), text()),
    flags: only,
    code: 'SIGNATURE',
  },
  'an older build': {
    number: 28,
    make: ({ one }) => signed(text('# build: 7'), one),
    flags: [...only, '--build', '8'],
    code: 'ROLLBACK',
  },
  'no build where one is asked for': {
    number: 28,
    make: ({ one }) => signed(text(), one),
    flags: [...only, '--build', '8'],
    code: 'ROLLBACK',
  },
  'a release that has ended': {
    number: 29,
    make: ({ one }) => signed(text(past), one),
    flags: only,
    code: 'EXPIRED',
  },
  'a build beyond what can be compared': {
    number: 30,
    make: ({ one }) => signed(text('# build: 9007199254740992'), one),
    flags: only,
    code: 'MANIFEST_INVALID',
  },
  'a manifest of another app': {
    number: 32,
    make: ({ one }) => signed(text().replace('name: shop', 'name: bank'), one),
    flags: [...only, '--name', 'shop'],
    code: 'NAME',
  },
}

for (const number of new Set(Object.values(tries).map((one) => one.number)))
  attack(
    number,
    'the tools, on a folder, a zip file and a site',
    { variants: Object.keys(tries).filter((name) => tries[name]!.number === number) },
    async (variant) => {
      const { make, flags, code } = tries[variant]!
      const made = await world()
      const outcome = await verdictOfTools(made.cwd, await make(made), flags)
      // It shows what is refused, and does not say that it is right.
      const shown = jsonOf(signedimp(['show', 'dist', '--json'], made))
      assert.is.not(shown.verified, true)
      return expect(outcome, code)
    },
  )

attack(6, 'what the tools accept, of the same folder', {}, async () => {
  const { cwd, one } = await world()
  const bytes = await signed(text('# build: 8'), await newPublisher(), one)
  assert.is(
    await verdictOfTools(cwd, bytes, [...both, '--build', '8', '--name', 'shop']),
    'ok status 0',
  )
  return 'ok a line of an unknown key does no harm'
})

for (const number of [9, 122])
  attack(number, 'one key in two files, to the tools', {}, async () => {
    const { cwd, one } = await world()
    const pem = readFrom(cwd, 'one.pub')
    writeInto(cwd, 'again.pub', `another text\n${pem.replaceAll('\n', '\r\n')}`)
    const flags = [...only, '--key', 'again.pub', '--threshold', '2']
    const outcome = await verdictOfTools(cwd, await signed(text(), one), flags)
    assert.match(outcome, /"threshold" is 2, more than the number of different keys, 1/)
    return 'refused as a mistake: there are not so many keys'
  })

const planted: Record<string, [number: number, plant: (dir: string) => void]> = {
  'a dotfile': [90, (dir) => writeInto(dir, '.htaccess', 'evil')],
  'a source map': [90, (dir) => writeInto(dir, 'a.js.map', 'evil')],
  'a percent-encoded name': [90, (dir) => writeInto(dir, '%61.js', 'evil')],
  'a link': [90, (dir) => symlinkSync('a.js', join(dir, 'link.js'))],
  'a link in the place of a file': [
    90,
    (dir) => {
      renameSync(join(dir, 'a.js'), join(dir, '../moved.js'))
      symlinkSync('../moved.js', join(dir, 'a.js'))
    },
  ],
  'a stale file of an earlier build': [127, (dir) => writeInto(dir, 'old.js', 'evil')],
  'a manifest with another name': [127, (dir) => writeInto(dir, 'signedimp-manifest.old', 'evil')],
}

for (const number of [90, 127])
  attack(
    number,
    'planted in a signed folder, before verify and rotate',
    { variants: Object.keys(planted).filter((name) => planted[name]![0] === number) },
    async (variant) => {
      const { cwd, one } = await world()
      writeInto(cwd, `dist/${manifest}`, await signed(text(), one))
      planted[variant]![1](join(cwd, 'dist'))
      const before = readFrom(cwd, `dist/${manifest}`)
      const outcome = outcomeOf(signedimp(['verify', 'dist', ...only, '--json'], { cwd }))
      const rotated = ['rotate', 'dist', ...only, '--key', 'two', '--json']
      assert.is(outcomeOf(signedimp(rotated, { cwd })), outcome)
      assert.is(readFrom(cwd, `dist/${manifest}`), before)
      const graph = jsonOf(signedimp(['graph', 'dist', ...only, '--json'], { cwd }))
      assert.ok(graph.graph.some(({ verdict }: { verdict: string }) => verdict !== 'as signed'))
      return expect(outcome, 'FILES')
    },
  )

attack(91, 'a way out of the page of graph, by the name of a file', {}, async () => {
  const { cwd, one } = await world()
  writeInto(cwd, `dist/${manifest}`, await signed(text(), one))
  for (const name of ['<svg onload=evil()>', '"><script>evil()<', "' onclick='evil()"])
    writeInto(cwd, `dist/${name}.js`, '')
  assert.is(signedimp(['graph', 'dist', ...only, '--html', 'g.html'], { cwd }).status, 1)
  const elements = elementsOf(readFrom(cwd, 'g.html'))
  assert.ok(!elements.some(({ name }) => ['script', 'img', 'iframe'].includes(name)))
  const names = new Set(elements.flatMap(({ attributes }) => Object.keys(attributes)))
  assert.ok(![...names].some((name) => name.startsWith('on')))
  return 'ok it stays a name'
})

/** A world with an encrypted key, and lines that would give it away. */
async function encrypted() {
  const { cwd } = await world()
  const env = { SIGNEDIMP_PASSWORD: 'correct horse battery staple', SIGNEDIMP_DEBUG: '1' }
  const made = signedimp(['keygen', 'locked', '--algorithm', 'ed25519'], { cwd, env })
  assert.is(made.status, 0, made.stderr)
  const opened = createPrivateKey({
    key: readFrom(cwd, 'locked'),
    passphrase: env.SIGNEDIMP_PASSWORD,
  })
  const { d } = opened.export({ format: 'jwk' })
  const base64 = opened.export({ type: 'pkcs8', format: 'der' }).toString('base64')
  return { cwd, env, secrets: [env.SIGNEDIMP_PASSWORD, d!, base64] }
}

attack(92, 'the key or its password in what the tools print and write', {}, async () => {
  const { cwd, env, secrets } = await encrypted()
  const wrong = { ...env, SIGNEDIMP_PASSWORD: 'not the password' }
  const runs = [
    signedimp(['sign', 'dist', '--key', 'locked', '--name', 'shop'], { cwd, env }),
    signedimp(['sign', 'dist', '--key', 'locked', '--json'], { cwd, env }),
    signedimp(['sign', 'dist', '--key', 'locked'], { cwd, env: wrong }),
    signedimp(['keys', 'show', 'locked', '--json'], { cwd, env }),
    signedimp(['verify', 'dist', '--key', 'locked'], { cwd, env }),
  ]
  assert.equal(
    runs.map(({ status }) => status),
    [0, 0, 2, 0, 2],
  )
  const said = [
    ...runs.map(({ stdout, stderr }) => stdout + stderr),
    readFrom(cwd, `dist/${manifest}`),
  ]
  for (const secret of [...secrets, 'not the password'])
    assert.ok(!said.some((words) => words.includes(secret)))
  return 'ok neither is anywhere'
})

const damages: Record<string, [damage: (pem: string) => string, code: string]> = {
  'a changed ciphertext': [
    (pem) => pem.replace(/(.)(=*\n-----END)/, (_, last, end) => (last === 'A' ? 'B' : 'A') + end),
    'KEY|PASSWORD',
  ],
  'a pickle': [() => "cos\nsystem\n(S'touch evil'\ntR.", 'KEY'],
  'no key at all': [() => 'evil', 'KEY'],
}

attack(
  93,
  'a key file that is not as it was written, to the tools',
  { variants: [...Object.keys(damages), 'a wrong password'] },
  async (variant) => {
    const { cwd, env } = await encrypted()
    const [damage, code] = damages[variant] ?? [(pem: string) => pem, 'PASSWORD']
    writeFileSync(join(cwd, 'locked'), damage(readFrom(cwd, 'locked')))
    const password = damages[variant] ? env.SIGNEDIMP_PASSWORD : 'another'
    const args = ['sign', 'dist', '--key', 'locked', '--name', 'shop', '--json']
    const run = signedimp(args, { cwd, env: { SIGNEDIMP_PASSWORD: password } })
    assert.is(run.status, 2)
    assert.match(jsonOf(run).error.code, new RegExp(`^ERR_SIGNEDIMP_(${code})$`))
    return `refused ${jsonOf(run).error.code}`
  },
)

attack(94, 'another manifest for the same files, by the tools', {}, async () => {
  const texts = new Set<string>()
  for (const names of [
    ['z.js', 'a-b.js', 'Z/a.txt', 'A/b.js'],
    ['A/b.js', 'Z/a.txt', 'a-b.js', 'z.js'],
  ]) {
    const { cwd } = await world()
    for (const name of names) writeInto(cwd, `dist/${name}`, name)
    zip(cwd)
    for (const target of ['dist', 'app.zip']) {
      const args = ['sign', target, '--key', 'one', '--name', 'shop']
      assert.is(signedimp(args, { cwd }).status, 0)
    }
    for (const target of ['dist', 'app.zip']) {
      const args = ['export', target, '--as', 'in-toto', ...only]
      texts.add(jsonOf(signedimp(args, { cwd })).predicate.manifest.signedText.sha256)
    }
  }
  assert.is(texts.size, 1)
  return 'ok the signed texts are the same, byte for byte'
})

attack(128, 'the private key in a folder that is to be signed', {}, async () => {
  const { cwd } = await world()
  renameSync(join(cwd, 'one'), join(cwd, 'dist/one'))
  const run = signedimp(['sign', 'dist', '--key', 'dist/one', '--name', 'shop', '--json'], { cwd })
  return expect(outcomeOf(run), 'KEY_EXPOSED')
})

attacks.run()
