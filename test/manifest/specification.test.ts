import { createHash, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { algorithms } from '../../src/crypto/algorithms.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { formatManifest } from '../../src/manifest/format.ts'
import { splitManifest, verifyManifest } from '../../src/manifest/verify.ts'
import { root } from '../support/files.ts'

const text = readFileSync(join(root, 'docs/manifest-format.md'), 'utf8')
const [example, key] = [...text.matchAll(/^```text\n([^`]*)\n```$/gm)]
  .map(([, block]) => block!)
  .filter((block) => /^[0-9a-f]{64} |PUBLIC KEY/.test(block))

test('the example of the specification is signed by the key that it names, and written as it says', async () => {
  const stored = Buffer.from(example!)
  const trust = {
    keys: [toTrustedKey(createPublicKey(key!))],
    threshold: 1,
    name: 'shop',
    build: 41,
  }
  const manifest = await verifyManifest(stored, trust, nodeCrypto)
  const { signedText } = splitManifest(stored)
  assert.is(formatManifest(manifest), Buffer.from(signedText).toString())
  assert.equal(manifest.imports.get('assets/cart.js'), [
    { start: 21, end: 29, path: 'assets/vat.js' },
  ])
  const id = createHash('sha256').update(signedText).digest('hex').slice(0, 16)
  assert.match(text, `signedimp-manifest.${id}.txt`)
})

test('the specification has the schemes that there are', () => {
  const schemes = [...text.matchAll(/^\| `((?:pss|ed|ecdsa)[\w-]+)`/gm)].map(
    ([, scheme]) => scheme!,
  )
  assert.equal(schemes.sort(), Object.keys(algorithms).sort())
})

test.run()
