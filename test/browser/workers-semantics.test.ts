import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generateKey } from '../../src/keys/generate.ts'
import { serveApp, type TestSite } from '../support/app.ts'
import { inEngines, type Page } from '../support/browsers.ts'
import { look } from '../support/visit.ts'
import { buildWorkers, keepScripts } from '../support/workers-app.ts'

// What an app sees of a worker, beside an unsigned build of the same: in the order and the words of the engine.

let plain: TestSite
let signed: TestSite

test.before(async () => {
  plain = await serveApp(await buildWorkers(undefined))
  signed = await serveApp(await buildWorkers(await generateKey('ecdsa-p256')))
})

test.after(async () => {
  for (const site of [plain, signed]) await site.close()
})

type Make = Record<string, (...args: unknown[]) => Worker>

/** Each runs in the page, where it is given what makes workers, and says what was seen. */
const scenes: Record<string, (make: Make) => Promise<unknown>> = {
  'a hundred messages before and while it starts, with buffers and ports': (make) =>
    new Promise((settle) => {
      const worker = make.order!()
      const replies: unknown[] = []
      const left: number[] = []
      const post = (n: number) => {
        if (n % 3 === 0) return worker.postMessage(n)
        if (n % 3 === 1) {
          const buffer = new ArrayBuffer(n)
          worker.postMessage(buffer, [buffer])
          return left.push(buffer.byteLength)
        }
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = ({ data }) => replies.push(data)
        worker.postMessage(n, { transfer: [port2] })
      }
      worker.onmessage = ({ data }) =>
        setTimeout(
          () =>
            settle({
              ...data,
              replies: replies.sort((a, b) => +a! - +b!),
              left: left.filter((size) => size > 0),
            }),
          100,
        )
      let n = 0
      while (n < 50) post(n++)
      const timer = setInterval(() => {
        for (let step = 0; step < 5; step++) post(n++)
        if (n < 100) return
        clearInterval(timer)
        worker.postMessage('end')
      }, 1)
    }),

  'what it is': async (make) => {
    const worker = make.order!()
    const Native = Object.getPrototypeOf(worker).constructor
    class Mine extends Worker {
      own = 'own'
      twice(data: unknown) {
        this.postMessage(data)
        this.postMessage('end')
      }
    }
    const mine = new Mine('/assets/order.js', { type: 'module' })
    const heard = new Promise((settle) => {
      mine.onmessage = ({ data }) => settle(data)
    })
    mine.twice('mine')
    const seen = [
      worker instanceof Worker,
      worker.constructor === Worker,
      Native === Worker,
      Object.prototype.toString.call(worker),
      Object.getPrototypeOf(worker) === Worker.prototype,
      Worker.name,
      Worker.length,
      mine instanceof Mine && mine instanceof Worker,
      mine.own,
      await heard,
    ]
    for (const each of [worker, mine]) each.terminate()
    return seen
  },

  'wrong calls': async () => {
    const attempts: (() => unknown)[] = [
      () => new (Worker as any)(),
      () => (Worker as any)('/assets/order.js'),
      () => new Worker('http://['),
      () => new Worker('/assets/order.js', { type: 'other' as never }),
    ]
    return attempts.map((attempt) => {
      try {
        return typeof attempt()
      } catch (error) {
        return (error as Error).name
      }
    })
  },

  'terminated at once, it says nothing': (make) =>
    new Promise((settle) => {
      const worker = make.order!()
      let heard = 0
      worker.onmessage = () => heard++
      worker.postMessage('end')
      worker.terminate()
      setTimeout(() => settle(heard), 400)
    }),

  'what it throws at the top comes first, and messages then': (make) =>
    new Promise((settle) => {
      const worker = make.throws!()
      const seen: unknown[] = []
      worker.onerror = (event) => {
        event.preventDefault()
        seen.push([event.type, event.message.replace(/^Uncaught /, ''), event.constructor.name])
      }
      worker.onmessage = ({ data }) => {
        seen.push(data)
        if (data === 'after 2') settle(seen)
      }
      for (const data of [1, 2]) worker.postMessage(data)
    }),

  'a script that cannot be read fails, and hears nothing': (make) =>
    new Promise((settle) => {
      const worker = make.wrong!()
      const seen: unknown[] = []
      worker.onerror = (event) => {
        event.preventDefault()
        seen.push(event.type)
      }
      worker.onmessage = ({ data }) => seen.push(data)
      worker.postMessage(1)
      setTimeout(() => settle(seen), 800)
    }),
}

for (const [title, scene] of Object.entries(scenes))
  inEngines(test, title, async (page) => {
    const expected = await play(page, plain, scene)
    signed.reset()
    assert.equal(await play(page, signed, scene), expected, 'fetched before')
    keepScripts(signed)
    assert.equal(await play(page, signed, scene), expected, 'fetched by itself')
  })

async function play(page: Page, site: TestSite, scene: (make: Make) => unknown): Promise<unknown> {
  await page.goto(site.url)
  assert.is((await look(page)).alert, '')
  await new Promise((settle) => setTimeout(settle, 400))
  return page.evaluate(`(${scene})(make)`)
}

test.run()
