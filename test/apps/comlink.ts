import type { WorkerApp } from './app.ts'

/** Comlink: a call, an object that lives in the worker, a callback of the page, a transferred buffer, an error. */
export const comlink: WorkerApp = {
  name: 'comlink',
  packages: { comlink: '4.4.2' },
  files: {
    'src/run.js': `import { wrap, proxy, transfer } from 'comlink'
export async function run() {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
  const far = wrap(worker)
  const said = [await far.add(2, 3)]
  const counter = await new far.Counter(5)
  await counter.increment()
  said.push(await counter.count)
  await far.each([1, 2], proxy((value) => void said.push('called ' + value)))
  const bytes = new Uint8Array([1, 2, 3])
  said.push(await far.sum(transfer(bytes, [bytes.buffer])), bytes.length)
  said.push(await far.fail().catch((error) => error.name + ': ' + error.message))
  return said
}
`,
    'src/worker.js': `import { expose } from 'comlink'
class Counter {
  constructor(count) {
    this.count = count
  }
  increment() {
    this.count++
  }
}
expose({
  Counter,
  add: (a, b) => a + b,
  each: async (values, callback) => {
    for (const value of values) await callback(value)
  },
  sum: (bytes) => bytes.reduce((a, b) => a + b),
  fail() {
    throw new RangeError('out of range')
  },
})
`,
  },
  says: [5, 6, 'called 1', 'called 2', 6, 0, 'RangeError: out of range'],
  workers: [/^assets\/worker-/],
}
