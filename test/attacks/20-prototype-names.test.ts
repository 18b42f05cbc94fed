import * as assert from 'uvu/assert'
import { nodeCrypto } from '../../src/crypto/node.ts'
import { verifyManifest } from '../../src/manifest/verify.ts'
import { chunk, emit, entry } from '../emit/emitted.ts'
import { attack, attacks } from '../support/attack.ts'
import { expect, file, newPublisher, signed, textOf, verdict } from './signed.ts'

const names = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  'valueOf',
  '0',
  'then',
  'length',
].sort()

attack(20, 'names of the object prototype', { quick: true }, async () => {
  const publisher = await newPublisher()
  const bytes = await signed(textOf({ files: names.map((name) => file(name)) }), publisher)
  assert.is(await verdict(bytes, { keys: [publisher.key] }), 'ok accepted')
  const trust = { keys: [publisher.key], threshold: 1, name: 'shop' }
  const { files, imports } = await verifyManifest(bytes, trust, nodeCrypto)
  assert.equal([...files.keys()], names)
  assert.is(files.get('isPrototypeOf'), undefined)
  assert.is(imports.get('__proto__'), undefined)
  return 'ok they are names like others'
})

attack(20, 'chunks with names of the object prototype', { quick: true }, async () => {
  const chunks = Object.fromEntries(names.map((name) => [`assets/${name}.js`, chunk('export {}')]))
  const imports = names.map((name) => `import "./${name}.js"`).join('\n')
  const { manifest } = await emit({
    ...chunks,
    'assets/index.js': entry(imports),
    'index.html': '<script type="module" src="/assets/index.js"></script>',
  })
  assert.equal(
    manifest.imports.get('assets/index.js')!.map(({ path }) => path),
    names.map((name) => `assets/${name}.js`),
  )
  return 'ok they are chunks like others'
})

attack(
  20,
  'an empty name',
  { variants: ['in the list', 'in an import'], quick: true },
  async (variant) => {
    const publisher = await newPublisher()
    const parts =
      variant === 'in the list'
        ? { files: [file('')] }
        : {
            directives: ['# signedimp: 1', '# name: shop', '# import: a.js\t1-2 '],
            files: [file('a.js')],
          }
    const bytes = await signed(textOf(parts), publisher)
    return expect(await verdict(bytes, { keys: [publisher.key] }), 'MANIFEST_INVALID')
  },
)

attacks.run()
