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
    const used = shared < 2 ? [] : [at % shared, (at + 1 + (at % (shared - 1))) % shared]
    await write(`src/pages/page${at}.js`, moduleOf(1000 + at, 'page', used))
  }
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
function moduleOf(seed: number, name: string, used: number[]): string {
  const random = createRandom(seed)
  const word = () => Math.floor(random() * 2 ** 52).toString(36)
  const imports = used.map(
    (at, nth) => `import { shared as shared${nth} } from '../shared${at}.js'\n`,
  )
  const sum = used.map((_, nth) => ` + shared${nth}[0](n)`).join('')
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
