import { denyKey, keyFileOf } from './guard.js'
import type { ResolvedOptions } from './options.js'
import type { Place } from './release.js'
import type {
  HookContext,
  ModulePreload,
  ViteAddition,
  ViteConfig,
  ViteServer,
  ViteUserConfig,
  WorkerPlugin,
} from './types.js'

/** What Vite's configuration says of where a build takes place. */
export const placeOf = ({ root, base, publicDir, build }: ViteConfig): Place => ({
  root,
  base: base === './' ? '' : base,
  publicDir: publicDir && build.copyPublicDir ? publicDir : undefined,
  viteManifest: build.manifest === true ? '.vite/manifest.json' : build.manifest || undefined,
})

/**
 * What the plugin adds to Vite's configuration. Vite before 8 preloads the scripts that a chunk imports under URLs
 * that the map does not use; the page preloads them itself. Vite 8 asks the map, and is left alone.
 */
export function configure(
  context: unknown,
  { build }: ViteUserConfig,
  forWorkers: WorkerPlugin,
): ViteAddition {
  const isRolldown =
    (context as Partial<HookContext> | undefined)?.meta?.rolldownVersion !== undefined
  const given = build?.modulePreload
  const worker = { plugins: () => [forWorkers] }
  if (isRolldown || given === false) return { worker }
  const modulePreload = withoutScripts(typeof given === 'object' ? given : {})
  return { build: { modulePreload }, worker }
}

function withoutScripts({ resolveDependencies, ...rest }: ModulePreload): ModulePreload {
  return {
    ...rest,
    resolveDependencies: (file, dependencies, context) =>
      (resolveDependencies?.(file, dependencies, context) ?? dependencies).filter(
        (path) => !/\.m?js$/.test(path),
      ),
  }
}

/**
 * Puts the plugin after every other, for what runs after it would change what it has hashed.
 * @throws TypeError when it is there twice: each would refuse what the other made
 */
export function moveLast({ plugins }: ViteConfig): void {
  const list = plugins as { name: string }[]
  const [own, another] = list.filter(({ name }) => name === 'signedimp')
  if (another) throw new TypeError('signedImp: the plugin is there twice; remove one')
  // Under another name it stays where it is.
  if (own) list.push(...list.splice(list.indexOf(own), 1))
}

/**
 * Whether a build is Storybook's, which takes the project's plugins, puts its own page in the place of the project's and
 * goes on writing to the folder afterwards. The plugin that puts it there tells, and no variable: one that is set by
 * mistake would leave a release unsigned.
 */
export const isStorybook = ({ plugins }: ViteConfig): boolean =>
  plugins.some(({ name }) => name === 'storybook:code-generator-plugin')

/** Keeps a server from giving the key's file away. */
export function guardServer({ middlewares, config }: ViteServer, { key }: ResolvedOptions): void {
  const file = keyFileOf(key, config.root)
  if (file) middlewares.use(denyKey(file))
}
