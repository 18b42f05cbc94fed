import type { WorkerApp } from './app.ts'

const run = (source: string) => `import * as pdfjs from 'pdfjs-dist'
${source}
export async function run() {
  const { numPages, getPage } = await pdfjs.getDocument({ url: new URL('/page.pdf', location.href).href }).promise.then((pdf) => ({
    numPages: pdf.numPages,
    getPage: (n) => pdf.getPage(n),
  }))
  const page = await getPage(1)
  const { items } = await page.getTextContent()
  const viewport = page.getViewport({ scale: 1 })
  const canvas = document.createElement('canvas')
  canvas.width = viewport.width
  canvas.height = viewport.height
  await page.render({ canvas, viewport }).promise
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  return [numPages, items.map(({ str }) => str).join(''), data.some((value, at) => at % 4 === 0 && value < 100)]
}
`

/** A page that says Hello. */
const pdf = `%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>> endobj
4 0 obj <</Length 40>> stream
BT /F1 24 Tf 20 40 Td (Hello) Tj ET     
endstream endobj
5 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj
trailer <</Root 1 0 R>>
`

const app = (name: string, source: string): WorkerApp => ({
  name: `pdfjs-dist, ${name}`,
  packages: { 'pdfjs-dist': '6.5.438' },
  files: { 'src/run.js': run(source), 'public/page.pdf': pdf },
  says: [1, 'Hello', true],
  workers: [/^assets\/pdf\.worker.*\.m?js$/],
})

/** pdf.js, with its worker as each bundler's guide has it: the text of a page, and that something is drawn. */
export const pdfs: WorkerApp[] = [
  app(
    'new URL',
    `pdfjs.GlobalWorkerOptions.workerSrc = new URL('pdfjs-dist/build/pdf.worker.mjs', import.meta.url).href`,
  ),
  app(
    '?url',
    `import workerSrc from 'pdfjs-dist/build/pdf.worker.min.mjs?url'
pdfjs.GlobalWorkerOptions.workerSrc = workerSrc`,
  ),
  app(
    '?worker',
    `import PdfWorker from 'pdfjs-dist/build/pdf.worker.mjs?worker'
pdfjs.GlobalWorkerOptions.workerPort = new PdfWorker()`,
  ),
]
