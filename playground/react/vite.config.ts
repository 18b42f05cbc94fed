import { fileURLToPath } from 'node:url'
import { signedImp } from 'signedimp'
import type { UserConfig } from 'vite'

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default {
  root: file('.'),
  plugins: [signedImp('release.pem')],
  build: {
    sourcemap: true,
    assetsInlineLimit: 0,
    rollupOptions: {
      input: [file('index.html'), file('about.html')],
      output: {
        manualChunks: (id) => (id.includes('node_modules') ? 'vendor' : undefined),
      },
    },
  },
} satisfies UserConfig
