import { createPrivateKey } from 'node:crypto'
import { renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { elementsOf } from '../emit/emitted.ts'
import { jsonOf, signedimp } from '../cli/run.ts'
import { attack, attacks } from '../support/attack.ts'
import { readFrom, writeInto } from '../tree/folder.ts'
import { expect, signed } from './signed.ts'
import { manifest, only, outcomeOf, text, world, zip } from './tools.ts'

// Attacks on folders and key files, against the command line as a process.

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
