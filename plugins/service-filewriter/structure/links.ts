// Link nodes: read, made absolute, and checked against everything the file will hold.
import { below, nameTrouble, own, type Findings, type JsonObject } from './findings.js'
import { allGroups, joinPath, type StructurePlan, type PlanGroup, type PlanLink } from './plan.js'

const MAX_HOPS = 32

/** `target` (old) or `source` (new): absolute, or relative to the group of the link with `../`. */
export function readLink(node: JsonObject, parent: PlanGroup, at: string, findings: Findings): PlanLink | undefined {
  const name = own(node, 'name')
  const bad = nameTrouble(name)
  if (bad !== undefined) findings.add(below(at, 'name'), bad)
  const key = Object.hasOwn(node, 'target') ? 'target' : 'source'
  const target = own(node, key)
  const file = own(node, 'file')
  const kind = own(node, 'kind') ?? (file === undefined ? 'hard' : 'external')
  if (typeof target !== 'string' || target === '') {
    findings.add(below(at, key), 'is missing; give the path that the link points to')
    return undefined
  }
  if (kind !== 'hard' && kind !== 'soft' && kind !== 'external') {
    findings.add(below(at, 'kind'), 'must be hard, soft or external')
    return undefined
  }
  const made = kind === 'external' ? external(target, file, at, findings) : absolute(parent, target)
  if (kind !== 'external' && file !== undefined) findings.add(below(at, 'file'), 'is for external links only')
  if (made === undefined) {
    if (kind !== 'external') findings.add(below(at, key), `'${target}' leads out of the file`)
    return undefined
  }
  return bad === undefined ? { name: name as string, kind, target: made, at } : undefined
}

function external(target: string, file: unknown, at: string, findings: Findings): string | undefined {
  if (file === undefined && /^[^:]+:\/./.test(target)) return target
  if (typeof file === 'string' && file !== '') return `${file}:${target.startsWith('/') ? target : `/${target}`}`
  findings.add(below(at, 'file'), 'is missing; an external link needs a file and a path in it')
  return undefined
}

function absolute(group: PlanGroup, target: string): string | undefined {
  const parts = target.startsWith('/') ? [] : group.path.split('/').filter((part) => part !== '')
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return undefined
  }
  return `/${parts.join('/')}`
}

/** Finds links to what will not be there, and links that point to each other in a circle. */
export function checkLinks(plan: StructurePlan, findings: Findings): void {
  for (const group of allGroups(plan.root)) {
    for (const link of group.links.values()) {
      if (link.kind === 'external') continue
      if (link.kind === 'hard' && link.target === '/') findings.add(link.at, 'a hard link may not point to the root')
      else if (!exists(plan.root, link.target))
        findings.add(link.at, `the target ${link.target} of link '${joinPath(group.path, link.name)}' does not exist`)
      else continue
      if (link.kind === 'hard') group.links.delete(link.name)
    }
  }
}

/** Whether `path` is in the file once it is complete, following links. */
function exists(root: PlanGroup, path: string): boolean {
  const found = follow(root, path)
  if (found === undefined || found === 'external') return found !== undefined
  const { group, rest } = found
  const [name] = rest
  if (name === undefined) return true
  if (group.datasets.has(name)) return rest.length === 1
  // What a writer makes may be a group with more in it
  return group.written.has(name) || group.writtenLate.has(name)
}

/** The innermost group of the plan on the way to `path`, following links, with what of the path is left; undefined: a circle. */
export function follow(
  root: PlanGroup,
  path: string,
  hops = 0
): { readonly group: PlanGroup; readonly rest: readonly string[] } | 'external' | undefined {
  if (hops > MAX_HOPS) return undefined
  let group = root
  const parts = path.split('/').filter((part) => part !== '')
  for (const [i, part] of parts.entries()) {
    const link = group.links.get(part)
    if (link?.kind === 'external') return 'external'
    if (link !== undefined) return follow(root, [link.target, ...parts.slice(i + 1)].join('/'), hops + 1)
    const child = group.groups.get(part)
    if (child === undefined) return { group, rest: parts.slice(i) }
    group = child
  }
  return { group, rest: [] }
}
