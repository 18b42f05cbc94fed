// @ts-check
/**
 * Opens the app in a frame of its own, opens each of its pages, and says what became of its chunks.
 * It looks from outside only: the frame shows the built app as it is.
 * @module
 */

/**
 * @typedef {{ path: string, role: string }} Chunk
 * @typedef {{ verdict: 'not loaded' | 'not run' | 'run' | 'verified' | 'refused' | 'waiting', code: string, reason: string }} Verdict
 * @typedef {{ chunks: Record<string, Verdict>, evil: string, started: boolean, asked: boolean, pages: Record<string, string> }} Outcome
 * @typedef {Error & { code?: string, path?: string }} Refusal
 * @typedef {Window & { __log?: string[], __urls?: Record<string, string>, __evil?: number }} AppWindow
 */

/**
 * @param {Element} box where the frame goes
 * @param {{ base: string, chunks: Chunk[], path: string | undefined, way: string | undefined, isAsked: () => Promise<boolean>, patience: number }} what
 * @returns {Promise<Outcome>}
 */
export async function visit(box, { base, chunks, path, way, isAsked, patience }) {
  const frame = document.createElement('iframe')
  frame.src = base
  frame.title = 'The app'
  box.replaceChildren(frame)
  const app = await arrival(frame)
  /** @type {Refusal[]} */
  const refusals = []
  app.addEventListener('signedimp:refusal', (event) => {
    refusals.push(/** @type {CustomEvent} */ (event).detail)
  })

  await until(() => buttonsOf(app).length > 0 || refusals.length > 0, patience)
  const { pages, text } = await openPages(app, patience)
  const asked = await isAsked()
  // A browser that took honest bytes from its memory has met no attack.
  const evil = evilIn(app, base + path, asked ? way : undefined, text)
  /** @type {Record<string, Verdict>} */
  const verdicts = {}
  for (const chunk of chunks) {
    verdicts[chunk.path] = verdictOf(app, refusals, chunk, base, chunk.path === path)
  }
  return { chunks: verdicts, evil, started: logged(app, 'started'), asked, pages }
}

/**
 * The frame's window as soon as it is the app's. Asked in a tight loop, because an event that comes
 * before somebody listens is lost.
 * @param {HTMLIFrameElement} frame
 * @returns {Promise<AppWindow>}
 */
async function arrival(frame) {
  const { port1, port2 } = new MessageChannel()
  const turn = () =>
    new Promise((next) => {
      port1.onmessage = next
      port2.postMessage(0)
    })
  while (frame.contentWindow?.location.href === 'about:blank') await turn()
  return /** @type {AppWindow} */ (frame.contentWindow)
}

/** @param {AppWindow} app */
function buttonsOf(app) {
  return /** @type {HTMLElement[]} */ ([...app.document.querySelectorAll('button[id^=open-]')])
}

/**
 * What became of each page, and all their text.
 * @param {AppWindow} app
 * @param {number} patience
 */
async function openPages(app, patience) {
  /** @type {Record<string, string>} */
  const pages = {}
  let text = ''
  for (const button of buttonsOf(app)) {
    const before = app.__log?.length ?? 0
    const news = () => app.__log?.slice(before).find((line) => /^(shown|refused) /.test(line))
    button.click()
    await until(news, patience)
    pages[button.id.slice('open-'.length)] = news() ?? 'waiting'
    text += app.document.body.innerText
  }
  return { pages, text }
}

const lazyModule = /^evaluated (Shop|Cart|Visit) /

/**
 * How one sees that altered code was evaluated, or that honest code was misread; else empty.
 * @param {AppWindow} app
 * @param {string} path
 * @param {string | undefined} way
 * @param {string} text
 */
function evilIn(app, path, way, text) {
  const names = (app.__log ?? []).filter((line) => line.startsWith('evaluated '))
  const twice = names.find((line, at) => names.indexOf(line) !== at)
  if (app.__evil) return "the attacker's statement was evaluated"
  const early = logged(app, 'started') ? undefined : names.find((line) => lazyModule.test(line))
  if (early) return `another file's code ran in its place (${early})`
  if (twice) return `another file's code ran in its place (${twice})`
  if (/Ã|â€|ðŸ|\ufffd/.test(text)) return 'text was decoded wrongly'
  if (way === 'flipped' && cameFrom(app, path)) return 'the altered file was evaluated'
  return ''
}

/**
 * @param {AppWindow} app
 * @param {string} path
 */
function cameFrom(app, path) {
  return Object.values(app.__urls ?? {}).some((url) => new URL(url).pathname === path)
}

/**
 * @param {AppWindow} app
 * @param {Refusal[]} refusals
 * @param {Chunk} chunk
 * @param {string} base
 * @param {boolean} tampered
 * @returns {Verdict}
 */
function verdictOf(app, refusals, { path, role }, base, tampered) {
  const refusal = refusals.find((error) => isAbout(error, path, role))
  if (refusal) return { verdict: 'refused', code: refusal.code ?? '', reason: refusal.message }
  if (hasRun(app, refusals, path, role, base)) {
    return { verdict: role === 'manifest' ? 'verified' : 'run', code: '', reason: '' }
  }
  const failure = app.__log?.find((line) => line.startsWith('refused '))
  if (tampered && failure) {
    const [, code = '', reason = ''] = /^refused (\w+): (.*)/.exec(failure) ?? []
    return { verdict: 'refused', code, reason }
  }
  const waits = tampered ? 'waiting' : wasFetched(app, base + path) ? 'not run' : 'not loaded'
  return { verdict: waits, code: '', reason: '' }
}

/**
 * A refusal that names no file is one of the whole manifest.
 * @param {Refusal} error
 * @param {string} path
 * @param {string} role
 */
function isAbout({ path: named = '' }, path, role) {
  return named === path || named.endsWith(`/${path}`) || (role === 'manifest' && named === '')
}

/**
 * @param {AppWindow} app
 * @param {Refusal[]} refusals
 * @param {string} path
 * @param {string} role
 * @param {string} base
 */
function hasRun(app, refusals, path, role, base) {
  // Libraries have no line of ours in them: they have run when the main chunk has, which imports them. What
  // checks the app has worked, too, when it has refused something else.
  const main = logged(app, 'evaluated main')
  if (role === 'manifest' || role === 'runtime') return main || refusals.length > 0
  return role === 'library' ? main : cameFrom(app, base + path)
}

/**
 * @param {AppWindow} app
 * @param {string} path
 */
function wasFetched(app, path) {
  const entries = app.performance.getEntriesByType('resource')
  return entries.some(({ name }) => new URL(name).pathname === path)
}

/**
 * @param {AppWindow} app
 * @param {string} line
 */
function logged(app, line) {
  return app.__log?.some((each) => each.startsWith(`${line} @`)) ?? false
}

/**
 * @param {() => unknown} condition
 * @param {number} patience
 */
async function until(condition, patience) {
  const end = performance.now() + patience
  while (!condition()) {
    if (performance.now() > end) return false
    await new Promise((next) => setTimeout(next, 10))
  }
  return true
}
