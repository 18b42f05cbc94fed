import { evaluated, note } from '../../common/log.ts'
import { basket, watch } from './basket.ts'
import { refused } from './refused.ts'
import './look.css'

/** What a lazy page is: HTML, and what happens when it is on the screen. */
export interface Route {
  html(): string
  shown?(): void
}

const routes: Record<string, { label: string; load(): Promise<Route> }> = {
  shop: { label: 'Shop', load: () => import('./routes/Shop.ts') },
  cart: { label: 'Basket', load: () => import('./routes/Cart.ts') },
  visit: { label: 'Visit', load: () => import('./routes/Visit.ts') },
}

const find = (selector: string) => document.querySelector<HTMLElement>(selector)!
const main = find('main')

async function open(name: string): Promise<void> {
  for (const button of document.querySelectorAll('nav button'))
    button.toggleAttribute('aria-current', button.id === `open-${name}`)
  main.innerHTML = '<p id="loading">One moment…</p>'
  try {
    const route = await routes[name]!.load()
    main.innerHTML = route.html()
    route.shown?.()
    note(`shown ${name}`)
  } catch (error) {
    refused(main, error as Error, () => open(name))
  }
}

const follow = () => {
  const name = location.hash.slice(1)
  if (Object.hasOwn(routes, name)) void open(name)
}

function start(): void {
  const buttons = Object.entries(routes).map(
    ([name, { label }]) => `<button id="open-${name}">${label}</button>`,
  )
  find('nav').innerHTML = buttons.join('')
  for (const name of Object.keys(routes))
    find(`#open-${name}`).onclick = () => (location.hash = name)
  watch(() => (find('#count').textContent = String(basket.length)))
  addEventListener('hashchange', follow)
  main.innerHTML = `<section id="home"><h2>Bonjour !</h2><p>A small shop in some chunks, built by esbuild.</p></section>`
  note('started')
  follow()
}

// As many apps do, this one starts at DOMContentLoaded, and would not start if that had come before.
document.addEventListener('DOMContentLoaded', start)

evaluated('main', import.meta.url)
