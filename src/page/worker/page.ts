/** Workers of a page. */
import { closureOf } from '../../manifest/linking.js'
import { pathToUrl } from '../../manifest/path.js'
import type { WorkerPlan } from '../../manifest/worker-plan.js'
import type { Linkable, WithWorkers } from '../context.js'
import { randomName } from '../random-name.js'
import { notEnforceable } from '../refuse.js'
import { createTell } from '../tell.js'
import { guardWorkers, type Scripts } from './guard.js'
import { createJudge } from './judge.js'
import { hearRefusals } from './relay.js'
import { createRoots } from './roots.js'
import { guardSharedWorkers } from './shared.js'
import { guardWorklets } from './worklets.js'

/** Guards the workers of the page whose runtime is being made. */
export function guardPage(plan: WorkerPlan): void {
  const context = __signedimp as Linkable & WithWorkers
  const { toUrl, manifest } = context
  const tell = createTell(context)
  const channel = randomName()
  const roots = createRoots(context, { plan, channel })
  hearBlocked(tell)
  const scripts: Scripts = {
    judge: createJudge(context, () => document.baseURI, toUnverified(plan, toUrl(''))),
    isGuest: 'id' in context,
    rootOf(path, type) {
      hearRefusals(channel, tell)
      return roots.rootOf(path, type)
    },
    tell,
    trust: (url) => context.trusted.createScriptURL(url),
  }
  guardWorkers(scripts)
  guardSharedWorkers(scripts)
  guardWorklets(context, scripts)
  Object.assign(context.workers!, {
    prepareFor(path: string) {
      const named = [...closureOf(manifest.imports, path)].flatMap((file) => plan.named[file] ?? [])
      const prepared = Promise.all([...new Set(named)].map(roots.prepare))
      return plan.first && named.length > 0 ? prepared : undefined
    },
  })
}

/** A browser tells nobody but the page that its policy blocks what a worker starts with; the worker has a plain error. */
const hearBlocked = (tell: Scripts['tell']): void =>
  addEventListener('securitypolicyviolation', ({ blockedURI, effectiveDirective, disposition }) => {
    if (
      blockedURI.startsWith('blob') &&
      effectiveDirective === 'worker-src' &&
      disposition === 'enforce'
    )
      tell(notEnforceable('no blobs as workers; let worker-src allow blob:'))
  })

/** URLs of scripts that `unverified` names. */
export const toUnverified = ({ unverified }: WorkerPlan, base: string): Set<string> =>
  new Set(
    unverified.map((name) =>
      /^(\/|\w+:)/.test(name) ? new URL(name, base).href : pathToUrl(name, base),
    ),
  )
