import type { WorkerApp } from './app.ts'

const versions = { '@sqlite.org/sqlite-wasm': '3.54.1-build1' }

const askWorker = `export const run = () =>
  new Promise((settle, fail) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
    worker.onmessage = ({ data }) => settle(data)
    worker.onerror = fail
  })
`

/** SQLite in its own worker, and in one of the app: a table in memory is made and asked. */
export const sqlites: WorkerApp[] = [
  {
    name: '@sqlite.org/sqlite-wasm, its worker',
    packages: versions,
    files: {
      'src/run.js': `import { sqlite3Worker1Promiser } from '@sqlite.org/sqlite-wasm'
export async function run() {
  const promiser = await new Promise((settle) => {
    const made = sqlite3Worker1Promiser({ onready: () => settle(made) })
  })
  const { dbId } = await promiser('open', { filename: ':memory:' })
  const sql = "create table t(a); insert into t values (1), (2); select sum(a) as s from t"
  const { result } = await promiser('exec', { dbId, sql, resultRows: [], rowMode: 'object' })
  return [result.resultRows[0].s]
}
`,
    },
    // That worker asks for its WebAssembly by this name.
    config: {
      build: {
        rollupOptions: {
          output: {
            assetFileNames: ({ names }) =>
              names[0] === 'sqlite3.wasm' ? 'assets/sqlite3.wasm' : 'assets/[name]-[hash][extname]',
          },
        },
      },
    },
    says: [3],
    workers: [/^assets\/sqlite3-worker1-.*js$/, /^assets\/sqlite3\.wasm$/],
  },
  {
    name: '@sqlite.org/sqlite-wasm, a worker of the app',
    packages: versions,
    files: {
      'src/run.js': askWorker,
      'src/worker.js': `import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
const sqlite3 = await sqlite3InitModule()
const db = new sqlite3.oo1.DB(':memory:')
db.exec('create table t(a); insert into t values (1), (2)')
postMessage([db.selectValue('select sum(a) from t')])
`,
    },
    says: [3],
    workers: [/^assets\/worker-.*js$/, /^assets\/sqlite3-.*wasm$/],
  },
  {
    name: '@sqlite.org/sqlite-wasm, a file of OPFS',
    packages: versions,
    files: {
      'src/run.js': askWorker,
      'src/worker.js': `import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
const sqlite3 = await sqlite3InitModule()
const db = new sqlite3.oo1.OpfsDb('/app.db', 'c')
db.exec('drop table if exists t; create table t(a); insert into t values (1), (2)')
postMessage([db.selectValue('select sum(a) from t')])
`,
    },
    headers: {
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    },
    // WebKitGTK has no shared memory.
    engines: ['chromium', 'firefox'],
    says: [3],
    workers: [/^assets\/sqlite3-opfs-async-proxy-.*js$/],
  },
]
