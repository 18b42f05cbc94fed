import { hashBytes } from '../../src/crypto/node.ts'
import { utf8, type Bytes } from '../../src/crypto/bytes.ts'
import { formatManifest, type Manifest } from '../../src/manifest/format.ts'
import { signText, storeManifest, type Signer } from '../../src/manifest/sign.ts'

const pathOf = {
  main: 'assets/main-1.js',
  vendor: 'assets/vendor-2.js',
  odd: 'weird #?%20 name.js',
}

/** A manifest with every kind of line. */
export const sample = (changes: Partial<Manifest> = {}): Manifest => ({
  hash: 'sha256',
  name: 'shop',
  build: 41,
  expires: '2999-02-01T00:00:00Z',
  imports: new Map([[pathOf.main, [{ start: 8, end: 22, path: pathOf.vendor }]]]),
  files: new Map(Object.values(pathOf).map((path) => [path, hashBytes('sha256', utf8(path))])),
  ...changes,
})

/** The sample's signed text, line by line. */
export const sampleLines = (): string[] => formatManifest(sample()).split('\n')

/** A signed manifest as it is stored. */
export async function stored(text: string, ...signers: Signer[]): Promise<Bytes> {
  const signedText = utf8(text)
  const signatures = await Promise.all(signers.map((signer) => signText(signedText, signer)))
  return storeManifest(signatures, signedText)
}
