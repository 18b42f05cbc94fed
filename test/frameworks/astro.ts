import { forPages, tellPage, type Framework } from './framework.ts'

const contents = {
  home: `<script>${tellPage('home')}</script>`,
  a: '<Island client:load page="a" />',
  b: `<script>import('../lazy').then(({ tell }) => tell('b'))</script>`,
}

/** Astro: pages that are documents of their own, one with a script, one with an island, one with a script that loads another. */
export const astro: Framework = {
  name: 'Astro, islands of React',
  packages: {
    astro: '7.3.5',
    '@astrojs/react': '7.0.0',
    '@types/react': '19.3.0',
    '@types/react-dom': '19.3.0',
    react: '19.3.1',
    'react-dom': '19.3.1',
    'oxc-transform-react': '0.145.0',
    vite: '8.3.8',
  },
  files: {
    'astro.config.mjs': `import react from '@astrojs/react'
import { defineConfig } from 'astro/config'

export default defineConfig({ integrations: [react()] })
`,
    'src/layout.astro': `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Astro</title>
  </head>
  <body>
    <a href="/a/">a</a> <a href="/b/">b</a>
    <slot />
  </body>
</html>
`,
    ...forPages(
      (page) => `src/pages/${page === 'home' ? 'index' : page}.astro`,
      (page) => `---
import Layout from '../layout.astro'
import Island from '../island.jsx'
---

<Layout>
  <h1>${page}</h1>
  ${contents[page]}
</Layout>
`,
    ),
    'src/island.jsx': `import { useEffect } from 'react'

export default function Island({ page }) {
  useEffect(() => void Object.assign(globalThis, { __page: page }), [])
  return <p>island</p>
}
`,
    'src/lazy.ts': `export const tell = (page: string) => Object.assign(globalThis, { __page: page })
`,
  },
  build: 'astro build',
  output: 'dist',
  configured: 'nothing',
}
