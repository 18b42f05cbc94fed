import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

interface CallFrame {
  functionName: string
  url: string
}

/** As V8 writes it (DevTools protocol, "Profiler.Profile"). */
interface CpuProfile {
  nodes: { id: number; callFrame: CallFrame; children?: number[] }[]
  samples: number[]
  timeDeltas: number[]
}

/** Where processor time of the main thread went, in milliseconds. */
export interface ProfileSums {
  /** By function of the package; what a function of ours calls that is not ours counts as its own. */
  functions: [name: string, milliseconds: number][]
  /** Collection of garbage, whoever left it. */
  garbageMs: number
  /** All that was not idle. */
  busyMs: number
}

/** Sums up the one profile in a folder. */
export async function readProfile(
  folder: string,
  isOurs: (url: string) => boolean,
): Promise<ProfileSums> {
  const [name] = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile'))
  return sumUp(JSON.parse(await readFile(join(folder, name!), 'utf8')) as CpuProfile, isOurs)
}

function sumUp(
  { nodes, samples, timeDeltas }: CpuProfile,
  isOurs: (url: string) => boolean,
): ProfileSums {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const owners = new Map<number, string | undefined>()
  const visit = (id: number, owner: string | undefined) => {
    const { callFrame, children = [] } = byId.get(id)!
    const own = isOurs(callFrame.url) ? callFrame.functionName || '(top level)' : owner
    owners.set(id, own)
    for (const child of children) visit(child, own)
  }
  visit(nodes[0]!.id, undefined)

  const functions = new Map<string, number>()
  let [garbageMs, busyMs] = [0, 0]
  samples.forEach((id, at) => {
    const milliseconds = timeDeltas[at]! / 1000
    const { functionName } = byId.get(id)!.callFrame
    if (functionName === '(idle)' || functionName === '(program)') return
    busyMs += milliseconds
    if (functionName === '(garbage collector)') garbageMs += milliseconds
    const owner = owners.get(id)
    if (owner) functions.set(owner, (functions.get(owner) ?? 0) + milliseconds)
  })
  return { functions: [...functions].sort((a, b) => b[1] - a[1]), garbageMs, busyMs }
}
