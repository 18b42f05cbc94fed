import type { SiteOptions } from '../../playground/server.ts'
import type { KeySource } from '../../src/keys/private.ts'
import { appBundlers, buildSigned, serveApp, type AppBundler, type TestSite } from './app.ts'
import { attacks } from './attack.ts'

/** The app as each bundler built it, and where it is served. */
export type ServedApps = Record<AppBundler, [folder: string, site: TestSite]>

/** Has the app of each bundler signed by a key and served while a file's attacks run: it is there when they begin. */
export function serveApps(key: KeySource, options: SiteOptions = {}): ServedApps {
  const apps = {} as ServedApps
  attacks.before(async () => {
    for (const bundler of appBundlers) {
      const folder = await buildSigned(key, { bundler })
      apps[bundler] = [folder, await serveApp(folder, options)]
    }
  })
  attacks.after(async () => {
    for (const [, site] of Object.values(apps)) await site.close()
  })
  return apps
}
