import type { ModuleEntry } from './entries.js'
import type { LinkedModules } from './modules.js'
import { codeOf, type Output } from './output.js'
import { unmarkUtf8 } from './rewrite.js'

/** Gives a module's syntax tree (ESTree). */
export type Parse = (code: string) => unknown

/** What to say of an entry whose exports do not all survive being handed on by another file. */
export function warnOf(
  { path, main }: ModuleEntry,
  output: Output,
  { locals }: Pick<LinkedModules, 'locals'>,
  parse: Parse,
): string[] {
  const names = locals.get(main)!
  if (names.size === 0) return []
  const code = unmarkUtf8(codeOf(output.get(main)!))
  return findReassigned(parse(code), [...names.keys()]).map(
    (local) =>
      `${path} exports "${names.get(local)}" and assigns to it later: whoever imports the entry sees the value that it has when the entry has run`,
  )
}

/** A node of a syntax tree (ESTree), as bundlers parse. */
interface Node {
  type: string
  [member: string]: unknown
}

/** Which of a module's top-level names are given another value somewhere after they were declared. */
export function findReassigned(module: unknown, names: readonly string[]): string[] {
  const found = new Set<string>()
  visit(module as Node, new Set(names), found)
  return names.filter((name) => found.has(name))
}

function visit(node: Node, names: ReadonlySet<string>, found: Set<string>): void {
  // A name that a function declares again is another one in there.
  const own = /Function/.test(node.type) ? declaredIn(node) : undefined
  const seen = own ? new Set([...names].filter((name) => !own.has(name))) : names
  for (const name of targetsOf(node)) if (seen.has(name)) found.add(name)
  for (const child of childrenOf(node)) visit(child, seen, found)
}

const childrenOf = (node: Node): Node[] =>
  Object.values(node)
    .flat()
    .filter(
      (value): value is Node => typeof value === 'object' && value !== null && 'type' in value,
    )

/** Names that a node gives a value (ECMA-262, "AssignmentExpression", "UpdateExpression", "for-in and for-of"). */
function targetsOf(node: Node): string[] {
  const { type, left, argument } = node as Node & { left?: Node; argument?: Node }
  if (type === 'UpdateExpression') return bound(argument!)
  const assigns = /^(AssignmentExpression|For(In|Of)Statement)$/.test(type)
  return assigns && left!.type !== 'VariableDeclaration' ? bound(left!) : []
}

/** Names in a pattern; those of members are not the module's. */
function bound(pattern: Node): string[] {
  if (pattern.type === 'Identifier') return [pattern.name as string]
  if (pattern.type === 'MemberExpression') return []
  if (pattern.type === 'AssignmentPattern') return bound(pattern.left as Node)
  if (pattern.type === 'Property') return bound(pattern.value as Node)
  return childrenOf(pattern).flatMap(bound)
}

/** Names that a function declares: parameters, variables, functions and classes, wherever in it, but not in others in it. */
function declaredIn({ params, body }: Node): Set<string> {
  const names = new Set((params as Node[]).flatMap(bound))
  const collect = (node: Node): void => {
    if (node.type === 'VariableDeclarator')
      for (const name of bound(node.id as Node)) names.add(name)
    if (node.type.endsWith('Declaration') && node.id) names.add((node.id as Node).name as string)
    if (!/Function/.test(node.type)) for (const child of childrenOf(node)) collect(child)
  }
  collect(body as Node)
  return names
}
