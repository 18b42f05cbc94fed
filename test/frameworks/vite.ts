import { forPages, tellPage, type Framework } from './framework.ts'
import { reactApp } from './react-app.ts'

/** What makes one of Vite's own starters. */
export const template = (name: string): string =>
  `create-vite@9.3.0 app --template ${name} --no-interactive --no-immediate`

/** Vite's own starter for React. */
export const viteReact: Framework = {
  name: 'Vite, React',
  packages: {
    vite: '8.3.8',
    '@vitejs/plugin-react': '6.3.0',
    react: '19.3.1',
    'react-dom': '19.3.1',
  },
  starter: template('react'),
  files: reactApp,
  build: 'vite build',
  output: 'dist',
  plugin: {
    'vite.config.js': `import react from '@vitejs/plugin-react'
import signedImp from 'signedimp'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react(), signedImp('release.pem', { name: 'shop' })],
})
`,
  },
  configured: 'the plugin',
}

/** Vite's own starter for Vue, with vue-router. */
export const viteVue: Framework = {
  name: 'Vite, Vue with vue-router',
  packages: {
    vite: '8.3.8',
    '@vitejs/plugin-vue': '6.0.11',
    vue: '3.5.45',
    'vue-router': '5.5.1',
  },
  starter: template('vue'),
  files: {
    'src/main.js': `import { createApp } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import App from './App.vue'
import Home from './pages/home.vue'

const routes = [
  { path: '/', component: Home },
  { path: '/a', component: () => import('./pages/a.vue') },
  { path: '/b', component: () => import('./pages/b.vue') },
]
const router = createRouter({ history: createWebHistory(), routes })
createApp(App).use(router).mount('#app')
`,
    'src/App.vue': `<template>
  <RouterLink to="/a">a</RouterLink> <RouterLink to="/b">b</RouterLink>
  <RouterView />
</template>
`,
    ...forPages(
      (page) => `src/pages/${page}.vue`,
      (page) => `<script setup>
import { onMounted } from 'vue'
onMounted(() => void ${tellPage(page)})
</script>

<template>
  <h1>${page}</h1>
</template>
`,
    ),
  },
  build: 'vite build',
  output: 'dist',
  plugin: {
    'vite.config.js': `import vue from '@vitejs/plugin-vue'
import signedImp from 'signedimp'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [vue(), signedImp('release.pem', { name: 'shop' })],
})
`,
  },
  configured: 'the plugin',
}
