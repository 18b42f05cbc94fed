import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { utf8 } from '../../src/crypto/bytes.ts'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { pkcs11Signer, readTokenKey } from '../../src/keys/pkcs11.ts'
import { loadSigner } from '../../src/keys/private.ts'
import { loadPublicKey, publicKeyPem, toTrustedKey } from '../../src/keys/public.ts'
import { jsonOf, hasTerminal, signedimp, signedimpInTerminal } from '../cli/run.ts'
import { appFolder, signedApp } from '../cli/workplace.ts'
import { scratchFolder } from '../support/processes.ts'
import { skip } from '../support/skip.ts'
import { madeKey } from './made.ts'
import { mistaken, refused } from './refusals.ts'
import { makeToken, noToken } from './softhsm.ts'

const token = suite('keys in a token')
const soft = noToken ? undefined : makeToken(scratchFolder())
if (soft) process.env.SOFTHSM2_CONF = soft.env.SOFTHSM2_CONF

/** Registers a test that needs the token. */
const withToken = (title: string, work: (made: NonNullable<typeof soft>) => Promise<void>) =>
  soft ? token(title, () => work(soft)) : skip(token, title, noToken!)

for (const [label, scheme, size] of [
  ['rsa', 'pss-sha256', 5000],
  ['ec', 'ecdsa-p256-sha256', 5000],
  ['ed', 'ed25519', 1024],
] as const)
  withToken(
    `the key "${label}" signs as ${scheme} and never leaves it`,
    async ({ module, token, pin }) => {
      const place = { module, token, key: label, pin }
      const publicKey = await readTokenKey(place)
      const signer = await loadSigner(pkcs11Signer({ ...place, publicKey }))
      assert.is(signer.key.scheme, scheme)
      for (const length of [1, size]) {
        const message = utf8('x'.repeat(length))
        assert.is(await nodeCrypto.verify(signer.key, await signer.sign(message), message), true)
      }
    },
  )

withToken('what pkcs11-tool cannot sign with Ed25519 is refused with what can', async (place) => {
  const key = { ...place, key: 'ed' }
  const signer = await loadSigner(pkcs11Signer({ ...key, publicKey: await readTokenKey(key) }))
  await refused(
    'ERR_SIGNEDIMP_KEY',
    () => signer.sign(utf8('x'.repeat(1025))),
    'cannot sign a text of 1025 bytes with Ed25519',
  )
})

withToken('a key is found by its id, too, and not where two have its label', async (place) => {
  const byId = await readTokenKey({ ...place, key: '0a02' })
  const byLabel = await readTokenKey({ ...place, key: 'ec' })
  assert.is(toTrustedKey(byId).fingerprint, toTrustedKey(byLabel).fingerprint)
  await readTokenKey({ ...place, key: '0a04' })
  for (const [key, words] of [
    ['twin', 'holds 2 keys "twin": give the id of one'],
    ['nope', 'holds no public key "nope", only: '],
    ['', 'holds no public key ""'],
  ] as const)
    await refused('ERR_SIGNEDIMP_KEY', () => readTokenKey({ ...place, key }), words)
})

withToken(
  'a token that is not there, and a module that is none, are told in their words',
  async (place) => {
    for (const [wrong, words] of [
      [{ token: 'other' }, 'No slot with token named "other" found'],
      [{ module: '/nowhere.so' }, 'Failed to load pkcs11 module'],
    ] as const)
      await refused(
        'ERR_SIGNEDIMP_KEY',
        () => readTokenKey({ ...place, key: 'rsa', ...wrong }),
        words,
      )
  },
)

withToken('a signature of another key than was asked for is refused', async (place) => {
  const publicKey = await madeKey('ecdsa-p256')
  const signer = await loadSigner(pkcs11Signer({ ...place, key: 'ec', publicKey }))
  await refused('ERR_SIGNEDIMP_KEY', () => signer.sign(utf8('x')), 'does not verify')
})

// The command line.
const sign = (made: NonNullable<typeof soft>, cwd: string, more: Record<string, string> = {}) => {
  const place = ['--pkcs11', made.module, '--token', made.token, '--key', 'rsa']
  const args = ['sign', 'dist', ...place, '--name', 'shop', '--json']
  return signedimp(args, { cwd, env: { ...made.env, ...more } })
}

withToken('signedimp signs apart from the files by it', async (made) => {
  const { cwd } = await signedApp()
  const place = ['--pkcs11', made.module, '--token', made.token, '--key', 'ec']
  const flags = ['--first', '--name', 'shop', '--never-expires', '--out', 'hsm.sig']
  const env = { ...made.env, SIGNEDIMP_PIN: made.pin }
  const run = signedimp(['sign', 'dist', '--detached', ...place, ...flags], { cwd, env })
  assert.is(run.status, 0, run.stderr)
  const trusted = toTrustedKey(await readTokenKey({ ...made, key: 'ec' }))
  writeFileSync(join(cwd, 'hsm.pub'), publicKeyPem(trusted))
  const attached = signedimp(['attach', 'dist', 'hsm.sig', '--key', 'hsm.pub'], { cwd })
  assert.is(attached.status, 0, attached.stderr)
  const both = ['--key', 'hsm.pub', '--key', 'a.key.pub', '--threshold', '2']
  assert.is(signedimp(['verify', 'dist', ...both], { cwd }).status, 0)
  const half = ['sign', 'dist', '--detached', '--token', made.token, '--key', 'ec', ...flags]
  assert.match(signedimp(half, { cwd }).stderr, '--pkcs11 and --token go together')
})

withToken('signedimp signs a folder by it, and what was signed verifies', async (made) => {
  const cwd = appFolder()
  const result = sign(made, cwd, { SIGNEDIMP_PIN: made.pin })
  assert.is(result.status, 0, result.stderr)
  const trusted = toTrustedKey(await readTokenKey({ ...made, key: 'rsa' }))
  assert.is(jsonOf(result).signer, trusted.fingerprint)
  writeFileSync(join(cwd, 'hsm.pub'), publicKeyPem(trusted))
  assert.is(signedimp(['verify', 'dist', '--key', 'hsm.pub'], { cwd }).status, 0)
})

withToken(
  'without a PIN, with a wrong one, and with half of the flags nothing is signed',
  async (made) => {
    const cwd = appFolder()
    for (const [more, words] of [
      [{}, 'holds a key behind a PIN: give it in the option "pin", in SIGNEDIMP_PIN'],
      [{ SIGNEDIMP_PIN: '98765' }, 'CKR_PIN_INCORRECT'],
    ] as const) {
      const { status, stdout, stderr } = sign(made, cwd, more)
      assert.is(status, 2)
      assert.match(stderr, words)
      assert.match(JSON.parse(stdout).error.code, 'ERR_SIGNEDIMP_PASSWORD')
      assert.not.match(stderr, '98765')
    }
    const half = ['sign', 'dist', '--key', 'rsa', '--token', made.token, '--name', 'shop']
    assert.match(signedimp(half, { cwd }).stderr, '--pkcs11 and --token go together')
  },
)

if (!hasTerminal) skip(token, 'a terminal is asked for the PIN', 'there is no script command')
else
  withToken('a terminal is asked for the PIN, which it does not show', async (made) => {
    const cwd = appFolder()
    const args = ['sign', 'dist', '--pkcs11', made.module, '--token', made.token, '--key', 'ec']
    const { status, shown } = await signedimpInTerminal(
      [...args, '--name', 'shop'],
      [[`PIN of ${made.token}: `, `${made.pin}\r`]],
      { cwd, env: made.env },
    )
    assert.is(status, 0, shown)
    assert.not.match(shown, made.pin)
  })

token.run()

// A program in the place of pkcs11-tool.
const other = suite('pkcs11-tool')

/** Runs with a script as `pkcs11-tool`, which writes its arguments and its PIN into files. */
async function withTool(script: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = scratchFolder()
  const tool = join(folder, 'pkcs11-tool')
  const notes = 'echo "$@" >> "$0.args"; echo "$SIGNEDIMP_PIN" >> "$0.pin"'
  writeFileSync(tool, `#!/bin/sh\n${notes}\n${script}`)
  chmodSync(tool, 0o755)
  const { PATH } = process.env
  process.env.PATH = `${folder}:${PATH}`
  try {
    await work(folder)
  } finally {
    process.env.PATH = PATH
  }
}

const place = { module: 'm.so', token: 't', key: 'k', pin: 'a secret PIN' }
const listing = "printf 'Public Key Object; EC\\n  label:      k\\n  ID:         01\\n'"

other('what signs wrong signs nothing, and nobody sees the PIN among its arguments', () =>
  withTool(listing, async (folder) => {
    const publicKey = await madeKey('ecdsa-p256')
    const signer = await loadSigner(pkcs11Signer({ ...place, publicKey }))
    await refused('ERR_SIGNEDIMP_KEY', () => signer.sign(utf8('x')), 'does not verify')
    assert.not.match(readFileSync(join(folder, 'pkcs11-tool.args'), 'utf8'), place.pin)
    assert.match(readFileSync(join(folder, 'pkcs11-tool.args'), 'utf8'), '--pin env:SIGNEDIMP_PIN')
    assert.is(readFileSync(join(folder, 'pkcs11-tool.pin'), 'utf8'), `\n${place.pin}\n`)
  }),
)

other('where it is not installed, that is said', async () => {
  const { PATH } = process.env
  process.env.PATH = scratchFolder()
  try {
    const { sign } = pkcs11Signer({ ...place, publicKey: await madeKey('ed25519') })
    await refused(
      'ERR_SIGNEDIMP_KEY',
      () => sign(utf8('x')),
      /^ERR_SIGNEDIMP_KEY token t: needs the program pkcs11-tool, of OpenSC, in the path$/,
    )
  } finally {
    process.env.PATH = PATH
  }
})

other('options that are none are mistakes', async () => {
  const publicKey = await loadPublicKey(await madeKey('ed25519'))
  for (const name of ['module', 'token', 'key'])
    for (const value of [undefined, '', 7])
      await mistaken(
        async () => pkcs11Signer({ ...place, publicKey, [name]: value } as never),
        `"${name}" must be a text`,
      )
})

other.run()
