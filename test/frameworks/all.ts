import { angular } from './angular.ts'
import { astro } from './astro.ts'
import type { Framework } from './framework.ts'
import { nexts } from './next.ts'
import { nuxt } from './nuxt.ts'
import { reactRouter } from './react-router.ts'
import { svelteKit } from './sveltekit.ts'
import { viteReact, viteVue } from './vite.ts'
import { rspack, webpack } from './webpack.ts'

/** All frameworks, in the order of the table. */
export const frameworks: readonly Framework[] = [
  viteReact,
  viteVue,
  svelteKit,
  astro,
  reactRouter,
  nuxt,
  angular,
  webpack,
  rspack,
  ...nexts,
]
