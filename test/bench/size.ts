import { readFile } from 'node:fs/promises'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { utf8 } from '../../src/crypto/bytes.ts'
import { createBootstrap, type PageCode } from '../../src/emit/bootstrap.ts'
import { generateKey, type KeyAlgorithm } from '../../src/keys/generate.ts'
import { toTrustedKey } from '../../src/keys/public.ts'
import { summarize, type Summary } from './statistics.ts'
import type { Section } from './table.ts'

/** The kinds of keys, the built bootstrap that each needs, and how many bytes it may have in Brotli. */
const kinds: { algorithm: KeyAlgorithm; label: string; file: string; target?: number }[] = [
  { algorithm: 'rsa-pss', label: 'RSA-PSS 3072', file: 'page.js', target: 3584 },
  { algorithm: 'ed25519', label: 'Ed25519', file: 'page.js', target: 3174 },
  { algorithm: 'ecdsa-p256', label: 'ECDSA P-256', file: 'page-der.js' },
  { algorithm: 'rsa-pss', label: 'RSA-PSS 3072, pure', file: 'page-pure.js' },
]

interface Sizes {
  raw: number
  gzip: number
  brotli: number
}

/** Measures what a page carries of ours, as a build emits it. Keys differ, and with them what is left of them when packed. */
export async function measureSize(quick: boolean): Promise<Section> {
  const found: { label: string; target?: number | undefined; sizes: Sizes[] }[] = []
  for (const { label, algorithm, file, target } of kinds) {
    const page = await readPageCode(file)
    const sizes: Sizes[] = []
    for (let key = 0; key < (quick ? 1 : 5); key++)
      sizes.push(sizesOf(await emitBootstrap(page, algorithm)))
    found.push({ label: `bootstrap, ${label}`, target, sizes })
  }
  const { runtime } = createBootstrap(await readPageCode('page.js'), [], 1)
  found.push({ label: 'runtime', sizes: [sizesOf(runtime.code)] })
  return {
    data: found,
    tables: [
      {
        title: 'Size',
        notes: [
          'Bytes. A page carries one bootstrap, its key in it, and loads one runtime; neither depends on the app.',
          'Medians over several keys, smallest and largest in brackets. gzip 9, Brotli 11.',
        ],
        columns: ['', 'keys', 'raw', 'gzip', 'Brotli', 'target', ''],
        rows: found.map(toRow),
      },
    ],
  }
}

function toRow({
  label,
  target,
  sizes,
}: {
  label: string
  target?: number | undefined
  sizes: Sizes[]
}) {
  const of = (kind: keyof Sizes) => summarize(sizes.map((size) => size[kind]))!
  const brotli = of('brotli')
  const verdict = target === undefined ? '' : brotli.max <= target ? 'met' : 'missed'
  return [
    label,
    String(sizes.length),
    spread(of('raw')),
    spread(of('gzip')),
    spread(brotli),
    target === undefined ? '' : `≤ ${target}`,
    verdict,
  ]
}

const spread = ({ median, min, max }: Summary): string =>
  min === max ? String(median) : `${median} (${min}-${max})`

async function emitBootstrap(page: PageCode, algorithm: KeyAlgorithm): Promise<string> {
  const key = toTrustedKey(await generateKey(algorithm))
  return createBootstrap(page, [key], 1).code
}

async function readPageCode(file: string): Promise<PageCode> {
  const read = (name: string) =>
    readFile(new URL(`../../dist/bootstrap/${name}`, import.meta.url), 'utf8')
  return {
    bootstrap: await read(file),
    runtime: await read('runtime.js'),
    module: await read(file.replace('page', 'module')),
    late: await read('late.js'),
    blob: await read('blob.js'),
    tags: await read('tags.js'),
    workers: '',
    fetch: await read('fetch.js'),
    pure: file.includes('pure'),
  }
}

function sizesOf(code: string): Sizes {
  const bytes = utf8(code)
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 }
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, { params }).length,
  }
}
