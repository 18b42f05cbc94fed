import { forPages, tellPage, type Files } from './framework.ts'

/** An app of React without a router, for bundlers whose starters have none. */
export const reactApp: Files = {
  'src/main.jsx': `import { lazy, Suspense, useState } from 'react'
import { createRoot } from 'react-dom/client'
import Home from './home.jsx'

const pages = {
  '/': Home,
  '/a': lazy(() => import('./a.jsx')),
  '/b': lazy(() => import('./b.jsx')),
}

function App() {
  const [path, setPath] = useState('/')
  const Page = pages[path]
  const open = (event) => {
    event.preventDefault()
    setPath(event.target.pathname)
  }
  return (
    <>
      <a href="/a" onClick={open}>a</a> <a href="/b" onClick={open}>b</a>
      <Suspense fallback="…"><Page /></Suspense>
    </>
  )
}

createRoot(document.getElementById('root')).render(<App />)
`,
  ...forPages(
    (page) => `src/${page}.jsx`,
    (page) => `import { useEffect } from 'react'

export default function Page() {
  useEffect(() => void ${tellPage(page)}, [])
  return <h1>${page}</h1>
}
`,
  ),
}
