/** `addModule` of worklets: what it loads is checked and linked here, for no import map holds there. */
import { closureOf } from '../../manifest/linking.js'
import { refusal } from '../../manifest/refusal.js'
import type { SignedImpError } from '../../errors.js'
import type { Linkable } from '../context.js'
import { createBlob } from '../link.js'
import { createLinked } from '../linked.js'
import { importNatively } from '../native-import.js'
import { isRefusal, notEnforceable } from '../refuse.js'
import type { Scripts } from './guard.js'

const notListed = 'a worklet is made of it, and the manifest does not list it'

type AddModule = (url: unknown, options?: object) => Promise<void>

/** Puts a guard in the place of `addModule`, where the browser has worklets. */
export function guardWorklets(context: Linkable, scripts: Omit<Scripts, 'rootOf'>): void {
  const { prototype } = (globalThis as { Worklet?: { prototype: { addModule: AddModule } } })
    .Worklet ?? { prototype: undefined }
  if (!prototype) return
  const { judge, isGuest, tell, trust } = scripts
  const { link } = createLinked(context, importNatively)

  async function addListed(add: AddModule, path: string, options?: object): Promise<void> {
    const urls = await link(path)
    // Whatever a policy blocks, engines say the same.
    await add(trust(createBlob(registryOf(context, path), '.js')), options).catch(() => {
      throw notEnforceable('no blobs in worklets; let script-src allow blob: or strict-dynamic')
    })
    for (const url of urls) await add(trust(url), options)
  }

  async function addChecked(add: AddModule, reference: string, options?: object): Promise<void> {
    const found = judge(reference)
    if (found.kind === 'own' || (found.kind === 'unlisted' && isGuest))
      return add(reference, options)
    if (found.kind === 'accepted') return add(trust(found.href), options)
    if (found.kind === 'listed') return addListed(add, found.path, options)
    throw refusal('UNLISTED', notListed, found.href)
  }

  prototype.addModule = new Proxy(prototype.addModule, {
    apply(target, worklet: object, [reference, options]: Parameters<AddModule>) {
      const add: AddModule = (...args) => Reflect.apply(target, worklet, args) as Promise<void>
      return addChecked(add, `${reference as string}`, options).catch((error: SignedImpError) => {
        if (isRefusal(error)) tell(error)
        throw error
      })
    },
  })
}

/** What a module asks for its address; a worklet imports nothing later. */
function registryOf({ manifest, toUrl }: Linkable, path: string): string {
  const paths = [...closureOf(manifest.imports, path)]
  const urls = JSON.stringify(Object.fromEntries(paths.map((one) => [one, toUrl(one)])))
  return `{const u=${urls},o=globalThis.__signedimp;globalThis.__signedimp={meta:p=>u[p]?{__proto__:null,url:u[p]}:o.meta(p)}}`
}
