// @ts-check
/**
 * The page with the buttons. Its query says what the server does: `?file=assets/a.js&way=changed`. So each
 * attack is a page load of its own and has an address. What came of it stands in `demo` at the end.
 * @module
 */
import { visit } from './watch.js'

/** @typedef {import('./watch.js').Outcome} Outcome */

const query = new URLSearchParams(location.search)
const way = query.get('way') || undefined
const file = query.get('file') || undefined
const path = way && file

const get = async () => (await fetch('/__demo/state')).json()
const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id))

const { base, chunks, ways, needsOther, isSigned } = await get()

/** @type {Record<string, string>} */
const words = {
  'not run': 'fetched, not run',
  run: isSigned ? 'verified and run' : 'run, unchecked',
  waiting: 'not run: no answer yet, or none that it can use',
}

const notAsked =
  'No attack: the browser did not ask for this file, because it still had it in memory, as WebKit does whatever ' +
  'the server says. A new private window forgets.'

describe()
try {
  await order({ path, way, detail: query.get('detail') ?? otherFile() })
  const isAsked = async () => (await get()).asked.includes(path)
  const patience = Number(query.get('patience') ?? 4000)
  const outcome = await visit(find('frame'), { base, chunks, path, way, isAsked, patience })
  show(outcome)
  linger(outcome)
  Object.assign(globalThis, { demo: outcome })
} catch (error) {
  find('outcome').textContent = String(error)
  Object.assign(globalThis, { demo: { error: String(error) } })
}

/** Tells the server to be honest again, and then to tamper with one file if there is one. */
async function order(/** @type {object} */ body) {
  const headers = { 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify(body) }
  const response = await fetch('/__demo/tamper', init)
  if (!response.ok) throw new Error(await response.text())
}

/** For the ways that need one: a lazy chunk that is not the file itself. */
function otherFile() {
  if (!needsOther.includes(way)) return undefined
  const isOther = (/** @type {any} */ chunk) => chunk.role === 'lazy' && chunk.path !== path
  return chunks.filter(isOther).at(-1).path
}

function describe() {
  find('intro').textContent = isSigned
    ? 'The app beside this is a signed build. Its host, this server, can tamper with every file.'
    : 'The app beside this is NOT signed: it runs whatever its host, this server, sends.'
  for (const { path: name, role, size } of chunks) {
    const radio = element('input', { type: 'radio', name: 'file', value: name })
    radio.checked = file ? name === file : role === 'lazy'
    const about = element('small', {}, `${role}, ${Math.ceil(size / 1000)} kB`)
    const label = element('label', {}, radio, ` ${name.replace('assets/', '')} `, about)
    const verdict = element('td', { className: 'verdict' })
    find('files').append(element('tr', { id: name }, element('td', {}, label), verdict))
  }
  for (const [value, title] of [['', 'every file as it was built'], ...Object.entries(ways)]) {
    const button = element('button', { name: 'way', value, title }, value || 'honest')
    button.setAttribute('aria-pressed', String((value || undefined) === way))
    find('ways').append(button)
  }
}

function show(/** @type {Outcome} */ outcome) {
  for (const row of document.querySelectorAll('tr')) {
    const { verdict, code, reason } = /** @type {any} */ (outcome.chunks[row.id])
    const cell = /** @type {HTMLElement} */ (row.lastElementChild)
    const isEvil = outcome.evil !== '' && row.id === path
    cell.className = `verdict ${isEvil ? 'evil' : verdict.replace(' ', '-')}`
    cell.textContent = isEvil ? `run: ${outcome.evil}` : (words[verdict] ?? verdict)
    if (code && !isEvil) cell.textContent = `${verdict}, ${code}: ${plain(reason)}`
  }
  find('outcome').textContent = summary(outcome)
  find('outcome').className = outcome.evil ? 'evil' : ''
}

/** A refusal's message without its code and its file, which stand beside it. */
function plain(/** @type {string} */ reason) {
  return reason.replace(/^ERR_\w+ (\S+: )?/, '')
}

function summary(/** @type {Outcome} */ { evil, started, pages, asked }) {
  if (evil) return `The attack worked: ${evil}.`
  if (path && !asked) return notAsked
  if (!started) return 'The app did not start, and nothing of the attacker ran.'
  const shown = Object.values(pages).filter((line) => line.startsWith('shown')).length
  const safe = way ? 'Nothing of the attacker ran. ' : ''
  return `${safe}${shown} of ${Object.keys(pages).length} pages work.`
}

/** Leaves the app at a page that was refused, if one was. */
function linger(/** @type {Outcome} */ { pages }) {
  const refused = Object.keys(pages).find((name) => !pages[name]?.startsWith('shown'))
  const app = find('frame').querySelector('iframe')?.contentDocument
  if (refused) app?.getElementById(`open-${refused}`)?.click()
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {object} properties
 * @param {(string | Node)[]} children
 */
function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}
