import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRandom } from './statistics.ts'

/** What a generated app is made of. */
export interface AppShape {
  /** Chunks that are loaded lazily. */
  pages: number
  /** Chunks that the lazy ones import, each page two of them. */
  shared: number
}

const chunkBytes = 20_000

/**
 * Writes an app whose entry imports all its lazy pages once it runs, and notes the time when all have run. Modules
 * hold arrays of functions: a bundler copies plain constants into the modules that use them, and then there is no
 * shared chunk.
 */
export async function writeApp(root: string, { pages, shared }: AppShape): Promise<void> {
  await mkdir(join(root, 'src/pages'), { recursive: true })
  const write = (path: string, text: string) => writeFile(join(root, path), text)
  await write('package.json', '{"name":"bench","type":"module"}')
  await write('index.html', html)
  await write('src/main.js', mainOf(pages))
  for (let at = 0; at < shared; at++) await write(`src/shared${at}.js`, moduleOf(at, 'shared', []))
  for (let at = 0; at < pages; at++) {
    const both = shared < 2 ? [] : [at % shared, (at + 1 + (at % (shared - 1))) % shared]
    const used = both.map((one) => ({ name: 'shared', from: `../shared${one}.js` }))
    await write(`src/pages/page${at}.js`, moduleOf(1000 + at, 'page', used))
  }
}

/**
 * Writes an app of modules that import one another in a row, each a chunk of its own if {@link chainChunk} says so. The
 * entry notes the time when all have run.
 * @param depth how many modules, the entry included
 */
export async function writeChain(root: string, depth: number): Promise<void> {
  await mkdir(join(root, 'src'), { recursive: true })
  const write = (path: string, text: string) => writeFile(join(root, path), text)
  const linkTo = (at: number) => (at < depth ? [{ name: 'link', from: `./link${at}.js` }] : [])
  await write('package.json', '{"name":"bench","type":"module"}')
  await write('index.html', html)
  await write(
    'src/main.js',
    `${moduleOf(0, 'link', linkTo(1))}globalThis.__results = link[0](1)\nglobalThis.__done = performance.now()\n`,
  )
  for (let at = 1; at < depth; at++)
    await write(`src/link${at}.js`, moduleOf(at, 'link', linkTo(at + 1)))
}

/** The chunk of a module of {@link writeChain}. */
export const chainChunk = (id: string): string | undefined => /link\d+(?=\.js$)/.exec(id)?.[0]

/** Makes sure that each module of a chain has a chunk of its own. @throws Error */
export async function checkChain(outDir: string, depth: number): Promise<void> {
  const names = await readdir(join(outDir, 'assets'))
  if (names.length !== depth)
    throw new Error(`${depth} chunks wanted; there are ${names.join(', ')}`)
}

const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Bench</title>
    <script type="module" src="/src/main.js"></script>
  </head>
  <body></body>
</html>
`

const mainOf = (pages: number): string => `const pages = [
${Array.from({ length: pages }, (_, at) => `  () => import('./pages/page${at}.js'),`).join('\n')}
]
globalThis.__results = Promise.all(pages.map((load) => load())).then((modules) => {
  globalThis.__done = performance.now()
  return modules.map(({ page }) => page[0](1))
})
`

/** Functions of unlike texts, about as large after minification as {@link chunkBytes}. */
function moduleOf(seed: number, name: string, used: { name: string; from: string }[]): string {
  const random = createRandom(seed)
  const word = () => Math.floor(random() * 2 ** 52).toString(36)
  const imports = used.map(
    (one, nth) => `import { ${one.name} as used${nth} } from '${one.from}'\n`,
  )
  const sum = used.map((_, nth) => ` + used${nth}[0](n)`).join('')
  const functions = [`(n) => n + ${seed}${sum}`]
  for (let bytes = 0; bytes < chunkBytes;) {
    const text = `(n) => ({ name: '${word()} ${word()}', size: n * ${seed}, items: ['${word()}', '${word()}', n] })`
    functions.push(text)
    bytes += text.length - 13
  }
  return `${imports.join('')}export const ${name} = [\n${functions.join(',\n')},\n]\n`
}

/**
 * Makes sure that the bundler made the chunks that are to be measured.
 * @throws Error that tells what it made instead
 */
export async function checkApp(outDir: string, { pages, shared }: AppShape): Promise<void> {
  const names = await readdir(join(outDir, 'assets'))
  const sizes = await Promise.all(
    names
      .filter((name) => /^(page|shared)\d+-/.test(name))
      .map(async (name) => (await stat(join(outDir, 'assets', name))).size),
  )
  const right = sizes.filter((size) => size > chunkBytes * 0.9 && size < chunkBytes * 1.1)
  if (right.length !== pages + shared)
    throw new Error(
      `the generated app should have ${pages} + ${shared} chunks of ${chunkBytes} bytes; it has ${sizes.length} chunks, from ${Math.min(...sizes)} to ${Math.max(...sizes)} bytes`,
    )
}
