import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import forge from 'node-forge'
import { keytool, noKeytool } from './keytool.ts'
import { madeKey } from './made.ts'
import { noOpenssl, openssl } from './openssl.ts'

/** How a tool makes a key file. */
export interface Recipe {
  /** Why it cannot be run here, if so. */
  missing?: string | undefined
  /**
   * Makes the file `k` in a folder, with the password {@link secret} if any.
   * @returns the key, where the tool was given one
   */
  make(folder: string): Promise<KeyObject | undefined>
}

/** The password of these files: what all tools take on their command lines. */
export const secret = 'a-password'

const pass = `-passout pass:${secret}`

/** A file that openssl makes of one of our keys. */
const byOpenssl = (
  kind: Parameters<typeof madeKey>[0],
  args: (input: string) => string,
): Recipe => ({
  missing: noOpenssl,
  async make(folder) {
    const key = await madeKey(kind)
    const input = join(folder, 'in')
    writeFileSync(input, key.export({ type: 'pkcs8', format: 'pem' }))
    openssl(`${args(input)} -out ${join(folder, 'k')}`)
    return key
  },
})

/** PKCS#12 with a certificate, as it usually comes. */
const storeByOpenssl = (kind: Parameters<typeof madeKey>[0], options = ''): Recipe => ({
  missing: noOpenssl,
  async make(folder) {
    const key = await madeKey(kind)
    const [input, certificate] = [join(folder, 'in'), join(folder, 'cert')]
    writeFileSync(input, key.export({ type: 'pkcs8', format: 'pem' }))
    openssl(`req -x509 -key ${input} -subj /CN=x -out ${certificate}`)
    openssl(
      `pkcs12 -export -inkey ${input} -in ${certificate} ${pass}${options} -out ${join(folder, 'k')}`,
    )
    return key
  },
})

/** A store in which Java makes a key of its own. */
const byKeytool = (kind: string, options = ''): Recipe => ({
  missing: noKeytool,
  async make(folder) {
    const store = `-keystore k -storetype PKCS12 -storepass ${secret}`
    keytool(`${options}-genkeypair ${kind} -alias sig -dname CN=x ${store}`, folder)
    return undefined
  },
})

const written = (
  kind: Parameters<typeof madeKey>[0],
  write: (key: KeyObject) => string | Buffer | Promise<string | Buffer>,
): Recipe => ({
  async make(folder) {
    const key = await madeKey(kind)
    writeFileSync(join(folder, 'k'), await write(key))
    return key
  },
})

const rsaOfForge = (key: KeyObject) =>
  forge.pki.privateKeyFromPem(String(key.export({ type: 'pkcs1', format: 'pem' })))

const storeByForge = (algorithm: 'aes256' | '3des'): Recipe =>
  written('rsa-pss', (key) => {
    const store = forge.pkcs12.toPkcs12Asn1(rsaOfForge(key), null as never, secret, { algorithm })
    return Buffer.from(forge.asn1.toDer(store).getBytes(), 'latin1')
  })

const byNode = (kind: Parameters<typeof madeKey>[0], type: string, format: string, open = false) =>
  written(kind, (key) => {
    const locked = { cipher: 'aes-256-cbc', passphrase: secret }
    return key.export({ type, format, ...(!open && locked) } as never) as unknown as Buffer
  })

const rsaAlgorithm = { name: 'RSA-PSS', hash: 'SHA-512' }

const byWebCrypto = (format: 'pkcs8' | 'jwk'): Recipe =>
  written('rsa-pss', async (key) => {
    const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
    const imported = await crypto.subtle.importKey('pkcs8', pkcs8, rsaAlgorithm, true, ['sign'])
    const exported = await crypto.subtle.exportKey(format as 'jwk', imported)
    return format === 'jwk' ? JSON.stringify(exported) : Buffer.from(exported as never)
  })

/** How each row of the table of private keys in docs/keys.md is made, by its first two cells. */
export const privateRecipes: Record<string, Recipe[]> = {
  'PKCS#8, PEM | `openssl pkey`': [
    byOpenssl('rsa-pss', (input) => `pkey -in ${input}`),
    byOpenssl('ecdsa-p256', (input) => `pkey -in ${input}`),
    byOpenssl('ed25519', (input) => `pkey -in ${input}`),
  ],
  'PKCS#8, PEM, encrypted with PBKDF2 | `openssl pkcs8 -topk8 -iter 600000`': [
    byOpenssl('rsa-pss', (input) => `pkcs8 -topk8 -iter 600000 -in ${input} ${pass}`),
  ],
  'PKCS#8, PEM, encrypted with scrypt | `openssl pkcs8 -topk8 -scrypt`': [
    byOpenssl('ed25519', (input) => `pkcs8 -topk8 -scrypt -in ${input} ${pass}`),
  ],
  'PKCS#8, DER | `openssl pkcs8 -topk8 -outform DER`': [
    byOpenssl('ed25519', (input) => `pkcs8 -topk8 -outform DER -nocrypt -in ${input}`),
    byOpenssl('rsa-pss', (input) => `pkcs8 -topk8 -outform DER -in ${input} ${pass}`),
    byOpenssl('ecdsa-p256', (input) => `pkcs8 -topk8 -scrypt -outform DER -in ${input} ${pass}`),
  ],
  'PKCS#1, PEM or DER | `openssl rsa -traditional`': [
    byOpenssl('rsa-pss', (input) => `rsa -traditional -in ${input}`),
    byOpenssl('rsa-pss', (input) => `rsa -traditional -outform DER -in ${input}`),
  ],
  'PKCS#1, PEM, encrypted the old way | `openssl rsa -traditional -aes256`': [
    byOpenssl('rsa-pss', (input) => `rsa -traditional -aes256 -in ${input} ${pass}`),
  ],
  'SEC1, PEM or DER | `openssl ec`': [
    byOpenssl('ecdsa-p256', (input) => `ec -in ${input}`),
    byOpenssl('ecdsa-p256', (input) => `ec -outform DER -in ${input}`),
    byOpenssl('ecdsa-p256', (input) => `ec -aes256 -in ${input} ${pass}`),
  ],
  'PKCS#12 | `openssl pkcs12 -export`': [
    storeByOpenssl('rsa-pss'),
    storeByOpenssl('ecdsa-p256'),
    storeByOpenssl('ed25519'),
    storeByOpenssl('ecdsa-p256', ' -nomac'),
  ],
  'PKCS#12 with RC2 and 3DES | `openssl pkcs12 -export -legacy`': [
    storeByOpenssl('rsa-pss', ' -legacy'),
    storeByOpenssl('ecdsa-p256', ' -legacy'),
  ],
  "PKCS#12 | Java's `keytool -genkeypair`": [
    byKeytool('-keyalg RSA -keysize 2048'),
    byKeytool('-keyalg EC -groupname secp256r1'),
    byKeytool('-keyalg Ed25519'),
    byKeytool('-keyalg RSA -keysize 2048', '-J-Dkeystore.pkcs12.legacy=true '),
  ],
  'PKCS#12 | node-forge': [storeByForge('aes256'), storeByForge('3des')],
  'PKCS#8 and PKCS#1, PEM, encrypted | node-forge': [
    written('rsa-pss', (key) =>
      forge.pki.encryptRsaPrivateKey(rsaOfForge(key), secret, { algorithm: 'aes256' }),
    ),
    written('rsa-pss', (key) =>
      forge.pki.encryptRsaPrivateKey(rsaOfForge(key), secret, {
        algorithm: 'aes128',
        legacy: true,
      }),
    ),
  ],
  'PKCS#8, PKCS#1 and SEC1, PEM or DER | Node’s `key.export()`': [
    byNode('rsa-pss', 'pkcs8', 'pem'),
    byNode('ed25519', 'pkcs8', 'der'),
    byNode('rsa-pss', 'pkcs1', 'pem'),
    byNode('rsa-pss', 'pkcs1', 'der', true),
    byNode('ecdsa-p256', 'sec1', 'pem'),
    byNode('ecdsa-p256', 'sec1', 'der', true),
  ],
  'JWK | Node’s `key.export()`': (['rsa-pss', 'ecdsa-p256', 'ed25519'] as const).map((kind) =>
    written(kind, (key) => JSON.stringify(key.export({ format: 'jwk' }))),
  ),
  'PKCS#8, DER | WebCrypto’s `exportKey()`': [byWebCrypto('pkcs8')],
  'JWK | WebCrypto’s `exportKey()`': [byWebCrypto('jwk')],
}

const publicPem = (key: KeyObject) =>
  String(createPublicKey(key).export({ type: 'spki', format: 'pem' }))

const certificate = (options: string): Recipe =>
  byOpenssl('ecdsa-p256', (input) => `req -x509 -key ${input} -subj /CN=x${options}`)

const exported = (options: string): Recipe => {
  const store = byKeytool('-keyalg RSA -keysize 2048')
  return {
    ...store,
    async make(folder) {
      await store.make(folder)
      keytool(`-exportcert -alias sig -keystore k -storepass ${secret} -file c${options}`, folder)
      writeFileSync(join(folder, 'k'), readFileSync(join(folder, 'c')))
      return undefined
    },
  }
}

/** The same of the table of public keys. */
export const publicRecipes: Record<string, Recipe[]> = {
  'SubjectPublicKeyInfo, PEM or DER | `openssl pkey -pubout`': [
    byOpenssl('rsa-pss', (input) => `pkey -pubout -in ${input}`),
    byOpenssl('ecdsa-p256', (input) => `pkey -pubout -outform DER -in ${input}`),
    byOpenssl('ed25519', (input) => `pkey -pubout -outform DER -in ${input}`),
  ],
  'X.509 certificate, PEM or DER | `openssl req -x509`': [
    certificate(''),
    certificate(' -outform DER'),
  ],
  "X.509 certificate, PEM or DER | Java's `keytool -exportcert`": [exported(' -rfc'), exported('')],
  'SubjectPublicKeyInfo, PEM or DER | Node’s `key.export()`': [
    written('ed25519', publicPem),
    written('rsa-pss', (key) => createPublicKey(key).export({ type: 'spki', format: 'der' })),
  ],
  'JWK | Node’s `key.export()`': (['rsa-pss', 'ecdsa-p256', 'ed25519'] as const).map((kind) =>
    written(kind, (key) => JSON.stringify(createPublicKey(key).export({ format: 'jwk' }))),
  ),
  'JWK | WebCrypto’s `exportKey()`': [
    written('ecdsa-p256', async (key) => {
      const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
      const imported = await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify'])
      return JSON.stringify(await crypto.subtle.exportKey('jwk', imported))
    }),
  ],
}
