import { decode, isPage } from '../emit/output.js'
import { isReportOnly } from '../emit/report-only-page.js'
import { refuseSharedNames } from '../manifest/distinct.js'
import { comparePaths, isSourceMap } from '../manifest/path.js'
import type { Trust } from '../manifest/verify.js'
import { inspectFiles, isDeletedMap, onePerPath, type Inspected } from '../tree/check.js'
import { readWhole, type Contents } from '../tree/contents.js'
import type { Progress } from '../tree/hash.js'
import type { FileProblem } from '../tree/refused.js'
import { summaryOf, type ManifestSummary } from '../tree/report.js'
import type { ManifestFolder } from '../tree/stored.js'
import type { Tree } from '../tree/tree.js'
import { checkKeys, signersOf } from '../tree/verify.js'
import { isScript, namedIn, readEdges, type Edge } from './edges.js'
import { createFind, type Find } from './find.js'

/** What a file was found to be. `deleted` is a listed source map that is not there, which is no fault. */
export type Verdict = 'as signed' | 'deleted' | FileProblem['problem']

/** A file of a release, and how others are tied to it. */
export interface GraphFile {
  path: string
  kind: 'page' | 'script' | 'style' | 'source map' | 'other'
  /** Undefined where it is not there. */
  bytes?: number
  verdict: Verdict
  /** What is wrong with it, where the verdict does not say all. */
  reason?: string
  /** What it loads. Of what is not as signed, nothing but what the manifest records is known. */
  loads: Edge[]
  /** What loads it. */
  loadedBy: Edge[]
  /** Whether it imports something that only its run tells. */
  isOpen: boolean
  /** Of a page: whether it refuses nothing. */
  isReportOnly: boolean
}

/** A release as a graph. */
export interface Graph extends ManifestSummary {
  manifest: string
  /** Fingerprints of the keys that signed, of those that were asked for. */
  signers: string[]
  /** In a manifest's order. */
  graph: GraphFile[]
}

/** Whether a file is a fault: nothing is wrong with a source map that was deleted. */
export const isWrong = ({ verdict }: GraphFile): boolean =>
  verdict !== 'as signed' && verdict !== 'deleted'

/** Largest file whose text is looked at. */
const maxText = 16 * 2 ** 20

/**
 * Reads how the files of a signed folder or zip file load one another, and which of them are as they were signed.
 * @throws SignedImpError on a manifest that is not signed as `trust` wants it
 */
export async function readGraph(
  tree: Tree,
  trust: Trust,
  manifestName: string,
  progress?: Progress,
): Promise<Graph> {
  checkKeys(trust.keys, trust.threshold)
  return tree.whileStill(async (listed) => {
    const where = { ...listed, manifestName }
    const inspected = await inspectFiles(where, trust, progress)
    refuseSharedNames(inspected.main.files.keys())
    const signers = signersOf(inspected.stored, trust)
    const graph = await tie(listFiles(where, inspected), where, inspected)
    return { manifest: manifestName, ...summaryOf(inspected.main), signers, graph }
  })
}

function listFiles(where: ManifestFolder, { main, problems }: Inspected): Map<string, GraphFile> {
  const wrong = new Map(onePerPath(problems).map((problem) => [problem.path, problem]))
  const paths = [...new Set([...main.files.keys(), ...wrong.keys()])].sort(comparePaths)
  const { files } = where.folder
  return new Map(
    paths.map((path) => {
      const { problem, reason } = wrong.get(path) ?? {}
      const file: GraphFile = {
        path,
        kind: kindOf(path),
        ...(files.has(path) && { bytes: where.contents.size(path) }),
        verdict: problem ?? (isDeletedMap(path, where) ? 'deleted' : 'as signed'),
        ...(reason !== undefined && { reason }),
        loads: [],
        loadedBy: [],
        isOpen: false,
        isReportOnly: false,
      }
      return [path, file]
    }),
  )
}

const kinds: [kind: GraphFile['kind'], is: (path: string) => boolean][] = [
  ['page', isPage],
  ['script', isScript],
  ['style', (path) => path.endsWith('.css')],
  ['source map', isSourceMap],
]

const kindOf = (path: string): GraphFile['kind'] => kinds.find(([, is]) => is(path))?.[0] ?? 'other'

/** Ties files that load one another. Texts are read of what is as signed, and of nothing else. */
async function tie(
  files: Map<string, GraphFile>,
  { contents }: ManifestFolder,
  { main }: Inspected,
): Promise<GraphFile[]> {
  const find = createFind([...files.keys()])
  const texts = new Map<string, string>()
  for (const [from, list] of main.imports)
    for (const { path } of list) add(files, from, { path, way: 'static' })
  for (const file of files.values()) {
    const hasText = file.verdict === 'as signed' && ['page', 'script', 'style'].includes(file.kind)
    const text = hasText ? await readText(file.path, contents) : undefined
    if (text === undefined) continue
    texts.set(file.path, text)
    const { edges, isOpen } = await readEdges(file.path, text, find)
    for (const edge of edges) add(files, file.path, edge)
    file.isOpen = isOpen
    file.isReportOnly = file.kind === 'page' && isReportOnly(text)
  }
  addNamed(files, texts, find)
  return [...files.values()]
}

/** Undefined for what is no text in UTF-8, or a very long one. */
async function readText(path: string, contents: Contents): Promise<string | undefined> {
  const bytes = await readWhole(contents, path, maxText)
  return bytes && decode(bytes)
}

/** Of what nothing imports, whose texts name it. */
function addNamed(
  files: Map<string, GraphFile>,
  texts: ReadonlyMap<string, string>,
  find: Find,
): void {
  const alone = new Set([...files.values()].filter(isAlone).map(({ path }) => path))
  for (const [from, text] of texts)
    for (const path of namedIn(text, find))
      if (alone.has(path)) add(files, from, { path, way: 'text' })
}

const isAlone = ({ kind, loadedBy }: GraphFile): boolean =>
  loadedBy.length === 0 && kind !== 'page' && kind !== 'source map'

function add(files: Map<string, GraphFile>, from: string, { path, way }: Edge): void {
  const [file, target] = [files.get(from), files.get(path)]
  if (!file || !target || file === target) return
  if (file.loads.some((edge) => edge.path === path)) return
  file.loads.push({ path, way })
  target.loadedBy.push({ path: from, way })
}
