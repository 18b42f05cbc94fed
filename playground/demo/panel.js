// @ts-check
/** The page with the buttons. `demo.check` does the same for a program. */
import { visit } from './watch.js'

/** @typedef {import('./watch.js').Outcome} Outcome */

const state = await (await fetch('/__demo/state')).json()

/** @type {string | undefined} the file that is tampered with, and how */
let path
/** @type {string | undefined} */
let way

const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id))

/**
 * Tampers with one file, visits the app and says what happened. Without a path nothing is tampered with.
 * @param {string} [tamperedPath]
 * @param {string} [tamperedWay]
 * @param {{ detail?: string, patience?: number }} [options]
 * @returns {Promise<Outcome>}
 */
async function check(tamperedPath, tamperedWay, { detail, patience } = {}) {
  path = tamperedPath
  way = tamperedWay
  await order('reset')
  if (path) await order('tamper', { path, way, detail: detail ?? detailFor(path, way) })
  return visit(find('frame'), { ...state, path, way, ...(patience && { patience }) })
}

/**
 * @param {string} command
 * @param {object} body
 */
async function order(command, body = {}) {
  const response = await fetch(`/__demo/${command}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(await response.text())
}

/**
 * The other file for the ways that need one: a lazy chunk that is not the one itself.
 * @param {string} from
 * @param {string | undefined} how
 */
function detailFor(from, how) {
  if (!state.needsOther.includes(how)) return undefined
  const others = state.chunks.filter((/** @type {any} */ chunk) => chunk.role === 'lazy')
  return others.findLast((/** @type {any} */ chunk) => chunk.path !== from).path
}

async function act(/** @type {string | undefined} */ chosen) {
  const file = /** @type {HTMLInputElement} */ (document.querySelector('input:checked')).value
  setBusy(true)
  find('outcome').textContent = 'Loading the app, and opening each of its pages…'
  try {
    const outcome = await check(chosen && file, chosen)
    show(outcome)
    linger(outcome)
  } catch (error) {
    find('outcome').textContent = String(error)
  }
  setBusy(false)
}

/** Leaves the app at a page that was refused, if one was. */
function linger(/** @type {Outcome} */ { pages }) {
  const refused = Object.keys(pages).find((name) => !pages[name]?.startsWith('shown'))
  const app = find('frame').querySelector('iframe')?.contentDocument
  if (refused) app?.getElementById(`open-${refused}`)?.click()
}

function setBusy(/** @type {boolean} */ busy) {
  for (const button of document.querySelectorAll('button')) {
    button.disabled = busy
    button.setAttribute('aria-pressed', String((button.value || undefined) === way))
  }
}

function show(/** @type {Outcome} */ outcome) {
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('tr'))) {
    const { verdict, code, reason } = /** @type {any} */ (outcome.chunks[row.id])
    const cell = /** @type {HTMLElement} */ (row.lastElementChild)
    const bad = outcome.evil && row.id === path
    cell.className = `verdict ${bad ? 'evil' : verdict}`
    const run = state.protected ? 'verified and run' : 'run, unchecked'
    cell.textContent = bad ? `run: ${outcome.evil}` : verdict === 'run' ? run : verdict
    if (code) cell.textContent = `${verdict} ${code}: ${reason.replace(`${code} `, '')}`
  }
  find('outcome').textContent = summary(outcome)
  find('outcome').className = outcome.evil ? 'evil' : ''
}

function summary(/** @type {Outcome} */ { evil, started, pages }) {
  if (evil) return `The attack worked: ${evil}.`
  if (!started) return 'The app did not start, and nothing of the attacker ran.'
  const shown = Object.values(pages).filter((line) => line.startsWith('shown')).length
  const safe = way ? 'Nothing of the attacker ran. ' : ''
  return `${safe}${shown} of ${Object.keys(pages).length} pages work.`
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

find('intro').textContent = state.protected
  ? 'The app on the right is a signed build. This server can tamper with each of its files.'
  : 'The app on the right is NOT signed: it runs whatever this server sends.'

for (const { path: name, role, size } of state.chunks) {
  const radio = element('input', { type: 'radio', name: 'file', value: name })
  radio.checked = role === 'lazy'
  const label = element('label', {}, radio, ` ${name} `, element('small', {}, `${role}, ${size} B`))
  find('chunks').append(
    element('tr', { id: name }, element('td', {}, label), element('td', { className: 'verdict' })),
  )
}

const buttons = [
  ['', 'honest', 'every file as it was signed'],
  ...Object.entries(state.ways).map(([name, title]) => [name, name, title]),
]
for (const [value, label, title] of buttons) {
  const onclick = () => act(value || undefined)
  find('ways').append(element('button', { value, title, onclick }, label))
}

Object.assign(globalThis, { demo: { state, check } })
if (!new URL(location.href).searchParams.has('wait')) await act(undefined)
