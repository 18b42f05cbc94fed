import type { Test } from 'uvu'
import { engines, selectedEngines, whyMissing, type EngineName } from './binaries.ts'
import type { Engine, Page } from './page.ts'
import { launchByPuppeteer } from './puppeteer.ts'
import { notSelected, skip } from './skip.ts'
import { launchWebKit } from './webkit.ts'

export { engines, selectedEngines, type EngineName } from './binaries.ts'
export type { Engine, Page } from './page.ts'

/** Starts an engine, or joins one. The caller closes it; if it does not, what was started ends with this process. */
export function launch(engine: EngineName): Promise<Engine> {
  return launchers[engine]()
}

const launchers: Record<EngineName, () => Promise<Engine>> = {
  chromium: () => launchByPuppeteer('chromium'),
  firefox: () => launchByPuppeteer('firefox'),
  webkit: launchWebKit,
}

/**
 * The engine of one row of a table whose rows differ in what no engine sees (the bundler, the file that carries the same
 * code): neighbours take turns. All engines where `SIGNEDIMP_FULL` is set.
 */
export function takingTurns(row: number): readonly EngineName[] {
  return process.env.SIGNEDIMP_FULL ? engines : [engines[row % engines.length]!]
}

/** Options of {@link inEngines}. */
export interface InEnginesOptions {
  /** @default all engines */
  engines?: readonly EngineName[]
  /** After this long the test fails. @default 120000 */
  timeoutMs?: number
}

/**
 * Registers one test per engine. Each gets a fresh page; engines start when first needed and end with the
 * suite. Where an engine is missing, its test is skipped aloud, and fails under CI.
 */
export function inEngines(
  test: Test,
  title: string,
  body: (page: Page, engine: Engine) => unknown,
  { engines: wanted = engines, timeoutMs = 120_000 }: InEnginesOptions = {},
): void {
  closeAfter(test)
  for (const name of wanted) {
    const full = `${title} [${name}]`
    const missing = whyMissing(name)
    if (!selectedEngines().includes(name)) notSelected(full, 'SIGNEDIMP_ENGINES')
    else if (missing) skip(test, full, missing)
    else test(full, () => inPage(name, body, timeoutMs))
  }
}

const running = new Map<EngineName, Promise<Engine>>()
const closing = new WeakSet<Test>()

function closeAfter(test: Test) {
  if (closing.has(test)) return
  closing.add(test)
  test.after(closeEngines)
}

/** Ends the engines that {@link inEngines} started. */
export async function closeEngines(): Promise<void> {
  const ended = [...running.values()]
  running.clear()
  await Promise.all(ended.map(async (engine) => (await engine.catch(() => undefined))?.close()))
}

async function inPage(
  name: EngineName,
  body: (page: Page, engine: Engine) => unknown,
  timeoutMs: number,
) {
  const { engine, page } = await openIn(name)
  try {
    await withDeadline(body(page, engine), timeoutMs)
  } finally {
    await page.close()
  }
}

/** Opens a page; an engine that an earlier test has killed is started once more. */
async function openIn(name: EngineName): Promise<{ engine: Engine; page: Page }> {
  const reused = running.has(name)
  if (!reused) running.set(name, launch(name))
  try {
    const engine = await running.get(name)!
    return { engine, page: await engine.open() }
  } catch (error) {
    const dead = running.get(name)
    running.delete(name)
    await dead?.then((engine) => engine.close()).catch(() => {})
    if (!reused) throw error
    return openIn(name)
  }
}

async function withDeadline(work: unknown, timeoutMs: number) {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the test took more than ${timeoutMs} ms`)),
      timeoutMs,
    )
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
