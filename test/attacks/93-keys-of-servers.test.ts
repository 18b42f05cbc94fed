import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import * as assert from 'uvu/assert'
import { saysSecret } from '../bundlers/built.ts'
import { attack, attacks } from '../support/attack.ts'
import { lazy } from '../support/readme-app.ts'
import { kindOf, runProgram, servers, signProgram } from '../support/server-program.ts'
import { skip } from '../support/skip.ts'

// A server is given a key file that is none, or another than is meant: it does not start, and the log tells no secret.

const program = lazy(() => signProgram({ 'main.mjs': `console.log('EVIL')` }))

const passphrase = 'a secret password'
const { privateKey } = generateKeyPairSync('ed25519')
const asPem = { type: 'pkcs8', format: 'pem' } as const
const plain = privateKey.export(asPem) as string
const encrypted = privateKey.export({ ...asPem, cipher: 'aes-256-cbc', passphrase }) as string
const rsa = (modulusLength: number) => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength })
  return publicKey.export({ type: 'spki', format: 'pem' }) as string
}

/** What stands in the file, by the key that was signed with. */
const spoilt: Record<string, (pem: string) => string> = {
  'a private key': () => plain,
  'an encrypted private key': () => encrypted,
  'a private key and the public one': (pem) => plain + pem,
  cut: (pem) => pem.replace(/.{6}\n-----END/, '\n-----END'),
  'its kind changed': (pem) => pem.replace('MCowBQYDK2Vw', 'MCowBQYDK2Vx'),
  'a weak key': () => rsa(1024),
  empty: () => '',
  'no key': () => 'function () { [native code] }',
}

const secrets = [plain, encrypted].flatMap((pem) => pem.split('\n').slice(1, -2))

for (const runtime of servers)
  for (const [variant, spoil] of Object.entries(spoilt)) {
    const title = 'a key file that is none, on servers'
    const variants = [`${variant}, ${runtime.name}`]
    if (runtime.missing) skip(attacks, `93 ${title} (${variants[0]})`, runtime.missing)
    else
      attack(93, title, { variants }, async () => {
        const signed = await program()
        const keyFile = `${signed.folder}.spoilt.pub`
        writeFileSync(keyFile, spoil(signed.pem))
        const { status, stdout, stderr } = runProgram(runtime, { ...signed, keyFile })
        assert.is(stdout, '')
        assert.is(status, 1, stderr)
        assert.not.ok(saysSecret(stderr, [passphrase, ...secrets]), stderr)
        const said = /^signedimp: (ERR_SIGNEDIMP_KEY|"keys\[0\]") .*\n$/
        if (kindOf(runtime) !== 'deno') assert.match(stderr, said)
        return `refused ${/ERR_SIGNEDIMP_KEY/.exec(stderr)?.[0] ?? 'as no key'}`
      })
  }

attacks.run()
