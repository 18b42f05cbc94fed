import { forPages, tellPage, type Framework } from './framework.ts'

const version = '16.4.3'

const next: Omit<Framework, 'name' | 'build' | 'refused'> = {
  packages: { next: version, react: '19.3.0', 'react-dom': '19.3.0' },
  starter: `create-next-app@${version} app --yes --skip-install --disable-git --empty`,
  without: ['app/globals.css', 'app/page.tsx'],
  files: {
    'next.config.ts': `import type { NextConfig } from 'next'

const config: NextConfig = { output: 'export' }
export default config
`,
    'app/layout.tsx': `import Link from 'next/link'

export default function Layout({ children }: { children: React.ReactNode }) {
  return (
    <html lang="en">
      <body>
        <Link href="/a">a</Link> <Link href="/b">b</Link>
        {children}
      </body>
    </html>
  )
}
`,
    ...forPages(
      (page) => `app/${page === 'home' ? '' : `${page}/`}page.tsx`,
      (page) => `'use client'
import { useEffect } from 'react'

export default function Page() {
  useEffect(() => void ${tellPage(page)}, [])
  return <h1>${page}</h1>
}
`,
    ),
  },
  output: 'out',
  configured: "`output: 'export'`",
}

/** Next emits classic scripts with either of its bundlers, and has no option for anything else. */
export const nexts: Framework[] = [
  {
    ...next,
    name: 'Next, static export, Turbopack',
    build: 'next build',
    refused: /ERR_SIGNEDIMP_NOT_COVERED [^]* a classic script with the runtime of Turbopack/,
  },
  {
    ...next,
    name: 'Next, static export, webpack',
    build: 'next build --webpack',
    refused: /ERR_SIGNEDIMP_NOT_COVERED [^]* a classic script with the runtime of webpack/,
  },
]
