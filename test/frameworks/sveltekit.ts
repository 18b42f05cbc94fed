import { forPages, tellPage, type Framework } from './framework.ts'

/** SvelteKit, every page written at build time. */
export const svelteKit: Framework = {
  name: 'SvelteKit, adapter-static',
  packages: {
    '@sveltejs/kit': '2.70.4',
    '@sveltejs/adapter-static': '3.0.10',
    '@sveltejs/vite-plugin-svelte': '7.3.1',
    svelte: '5.57.3',
    vite: '8.3.8',
  },
  starter:
    'sv@0.17.1 create app --template minimal --types ts --no-install --no-download-check --add sveltekit-adapter=adapter:static',
  files: {
    'src/routes/+layout.ts': `export const prerender = true
`,
    'src/routes/+layout.svelte': `<script lang="ts">
  let { children } = $props()
</script>

<a href="/a">a</a> <a href="/b">b</a>
{@render children()}
`,
    ...forPages(
      (page) => `src/routes/${page === 'home' ? '' : `${page}/`}+page.svelte`,
      (page) => `<script lang="ts">
  import { onMount } from 'svelte'
  onMount(() => void ${tellPage(page)})
</script>

<h1>${page}</h1>
`,
    ),
  },
  build: 'vite build',
  output: 'build',
  configured: '`prerender` in the root layout, as the adapter needs it',
}
