import { lazy, Suspense, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { Refused } from './Refused.tsx'
import { useBasket } from './basket.ts'
import { evaluated, note } from '../../common/log.ts'

const routes = {
  shop: { label: 'Shop', load: () => import('./routes/Shop.tsx') },
  cart: { label: 'Basket', load: () => import('./routes/Cart.tsx') },
  visit: { label: 'Visit', load: () => import('./routes/Visit.tsx') },
}

type RouteName = keyof typeof routes

const watchHash = (changed: () => void) => {
  addEventListener('hashchange', changed)
  return () => removeEventListener('hashchange', changed)
}

const useRoute = () => {
  const hash = useSyncExternalStore(watchHash, () => location.hash.slice(1))
  return Object.hasOwn(routes, hash) ? (hash as RouteName) : undefined
}

export function App() {
  const route = useRoute()
  const basket = useBasket()
  return (
    <>
      <header>
        <img src={`${import.meta.env.BASE_URL}favicon.svg`} alt="" width="32" height="32" />
        <h1>Fromagerie</h1>
        <nav>
          {Object.entries(routes).map(([name, { label }]) => (
            <button
              key={name}
              id={`open-${name}`}
              aria-current={name === route ? 'page' : undefined}
              onClick={() => (location.hash = name)}
            >
              {label}
            </button>
          ))}
          <a href="./about.html">About</a>
        </nav>
        <output id="count">{basket.length}</output>
      </header>
      <main>{route ? <Route key={route} name={route} /> : <Home />}</main>
    </>
  )
}

/** One lazy page. A new attempt needs a new `lazy`: React remembers the first one's failure. */
function Route({ name }: { name: RouteName }) {
  const [attempt, setAttempt] = useState(0)
  const Page = useMemo(() => lazy(routes[name].load), [name, attempt])
  return (
    <Refused key={attempt} again={() => setAttempt(attempt + 1)}>
      <Suspense fallback={<p id="loading">One moment…</p>}>
        <Page />
        <Shown name={name} />
      </Suspense>
    </Refused>
  )
}

/** Notes that the page beside it is on the screen. */
function Shown({ name }: { name: string }) {
  useEffect(() => note(`shown ${name}`), [name])
  return null
}

function Home() {
  return (
    <section id="home">
      <h2>Bonjour !</h2>
      <p>
        A small shop in four chunks and then some. Each page is a chunk of its own, loaded when it
        is opened; <em>Shop</em> and <em>Basket</em> share one.
      </p>
    </section>
  )
}

evaluated('App', import.meta.url)
