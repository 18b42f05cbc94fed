import type { Framework } from '../frameworks/framework.ts'
import { template } from '../frameworks/vite.ts'

/** What the configuration of each kind of template has beside our plugin: imports, and plugins. */
const kinds: Record<string, [imports: string, plugins: string]> = {
  vanilla: ['', ''],
  vue: ["import vue from '@vitejs/plugin-vue'", 'vue(), '],
  react: ["import react from '@vitejs/plugin-react'", 'react(), '],
  'react-compiler': [
    `import react, { reactCompilerPreset } from '@vitejs/plugin-react'
import babel from '@rolldown/plugin-babel'`,
    'react(), babel({ presets: [reactCompilerPreset()] }), ',
  ],
  preact: ["import preact from '@preact/preset-vite'", 'preact(), '],
  lit: ['', ''],
  svelte: ["import { svelte } from '@sveltejs/vite-plugin-svelte'", 'svelte(), '],
  solid: ["import solid from 'vite-plugin-solid'", 'solid(), '],
  qwik: ["import { qwikVite } from '@builder.io/qwik/optimizer'", 'qwikVite({ csr: true }), '],
}

/** The templates of create-vite, each in JavaScript and in TypeScript, as they come; the plugin is all that is added. */
export const templates: readonly Framework[] = Object.entries(kinds).flatMap(
  ([kind, [imports, plugins]]) =>
    [kind, `${kind}-ts`].map((name) => ({
      name,
      packages: {},
      starter: template(name),
      files: {},
      build: 'vite build',
      output: 'dist',
      plugin: {
        [`vite.config.${name.endsWith('-ts') ? 'ts' : 'js'}`]: `${imports}
import signedImp from 'signedimp'
import { defineConfig } from 'vite'

export default defineConfig({ plugins: [${plugins}signedImp('release.pem')] })
`,
      },
      configured: 'the plugin',
    })),
)
