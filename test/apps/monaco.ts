import type { WorkerApp } from './app.ts'

/** monaco-editor with its own worker and that of TypeScript: a type error is marked, and a name is completed. */
export const monaco: WorkerApp = {
  name: 'monaco-editor',
  packages: { 'monaco-editor': '0.57.0' },
  files: {
    'src/run.js': `import * as monaco from 'monaco-editor'
import EditorWorker from 'monaco-editor/editor/editor.worker.js?worker'
import TsWorker from 'monaco-editor/language/typescript/ts.worker.js?worker'
import JsonWorker from 'monaco-editor/language/json/json.worker.js?worker'
self.MonacoEnvironment = {
  getWorker: (_, label) =>
    label === 'typescript' ? new TsWorker() : label === 'json' ? new JsonWorker() : new EditorWorker(),
}
const markersOf = (model) =>
  new Promise((settle) => {
    const look = () => {
      const found = monaco.editor.getModelMarkers({ resource: model.uri })
      if (found.length > 0) settle(found.map(({ owner, message }) => owner + ': ' + message))
    }
    monaco.editor.onDidChangeMarkers(look)
    look()
  })
export async function run() {
  const host = document.createElement('div')
  host.style.height = '200px'
  document.body.append(host)
  const model = monaco.editor.createModel('const n: number = "a"', 'typescript', monaco.Uri.parse('file:///a.ts'))
  monaco.editor.create(host, { model })
  const json = monaco.editor.createModel('{"a": 1,}', 'json', monaco.Uri.parse('file:///a.json'))
  return [...(await markersOf(model)), ...(await markersOf(json))]
}
`,
  },
  says: ["typescript: Type 'string' is not assignable to type 'number'.", 'json: Trailing comma'],
  workers: [
    /^assets\/ts\.worker-.*js$/,
    /^assets\/json\.worker-.*js$/,
    /^assets\/editor\.worker-.*js$/,
  ],
}
