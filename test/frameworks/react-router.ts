import { forPages, tellPage, type Framework } from './framework.ts'

/** React Router as a framework, without a server. Its starter's template comes from GitHub. */
export const reactRouter: Framework = {
  name: 'React Router, SPA mode',
  packages: {
    'react-router': '8.4.0',
    '@react-router/dev': '8.4.0',
    '@react-router/node': '8.4.0',
    isbot: '5.2.3',
    react: '19.3.1',
    'react-dom': '19.3.1',
    vite: '8.3.8',
  },
  files: {
    'vite.config.ts': `import { reactRouter } from '@react-router/dev/vite'
import { defineConfig } from 'vite'

export default defineConfig({ plugins: [reactRouter()] })
`,
    'react-router.config.ts': `export default { ssr: false }
`,
    'app/routes.ts': `import { index, route } from '@react-router/dev/routes'

export default [index('routes/home.tsx'), route('a', 'routes/a.tsx'), route('b', 'routes/b.tsx')]
`,
    'app/root.tsx': `import { Link, Links, Meta, Outlet, Scripts, ScrollRestoration } from 'react-router'

export function Layout({ children }) {
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <Meta />
        <Links />
      </head>
      <body>
        {children}
        <ScrollRestoration />
        <Scripts />
      </body>
    </html>
  )
}

export default function Root() {
  return (
    <>
      <Link to="/a">a</Link> <Link to="/b">b</Link>
      <Outlet />
    </>
  )
}
`,
    ...forPages(
      (page) => `app/routes/${page}.tsx`,
      (page) => `import { useEffect } from 'react'

export default function Page() {
  useEffect(() => void ${tellPage(page)}, [])
  return <h1>${page}</h1>
}
`,
    ),
  },
  build: 'react-router build',
  output: 'build/client',
  configured: '`ssr: false`',
}
