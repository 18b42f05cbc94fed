import { forPages, tellPage, type Framework } from './framework.ts'

/** Nuxt, every page written at build time. Its starter's template comes from GitHub. */
export const nuxt: Framework = {
  name: 'Nuxt, `nuxt generate`',
  packages: { nuxt: '4.5.2', vue: '3.5.45', 'vue-router': '5.5.1' },
  overrides: { vite: '8.3.8' },
  files: {
    'nuxt.config.ts': `export default defineNuxtConfig({ compatibilityDate: '2026-01-01' })
`,
    'app/app.vue': `<template>
  <div>
    <NuxtLink to="/a">a</NuxtLink> <NuxtLink to="/b">b</NuxtLink>
    <NuxtPage />
  </div>
</template>
`,
    ...forPages(
      (page) => `app/pages/${page === 'home' ? 'index' : page}.vue`,
      (page) => `<script setup>
onMounted(() => void ${tellPage(page)})
</script>

<template>
  <h1>${page}</h1>
</template>
`,
    ),
  },
  build: 'nuxt generate',
  output: '.output/public',
  configured: 'Vite 8.3 by `overrides`: Nuxt 4.5.2 does not build with Vite 8.4.0',
}
