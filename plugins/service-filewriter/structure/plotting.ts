// What can be plotted at once: the `default` of each group on the way to it, and where a log may not say so.
import { follow } from './links.js'
import { allGroups, type StructurePlan, type PlanGroup } from './plan.js'

/** Readers look in these for a signal, and take a log in them that names its own for a dataset. */
const takers: ReadonlySet<unknown> = new Set(['NXdata', 'NXdetector', 'NXmonitor', 'NXlog'])

/** NX_class as it will be in the file. */
export function classOf({ attributes, streams }: PlanGroup): string {
  const given = attributes.get('NX_class') ?? streams[0]?.part.nxClass
  const value = typeof given === 'object' && !Array.isArray(given) && 'value' in given ? given.value : given
  return typeof value === 'string' ? value : ''
}

/** Logs that are in such a parent, in itself or by a link: their writers name no signal. */
export function takenLogs(root: PlanGroup): ReadonlySet<PlanGroup> {
  const taken = new Set<PlanGroup>()
  for (const parent of allGroups(root)) {
    if (!takers.has(classOf(parent))) continue
    for (const child of parent.groups.values()) if (classOf(child) === 'NXlog') taken.add(child)
    for (const { target, kind } of parent.links.values()) {
      const group = kind === 'external' ? undefined : groupAt(root, target)
      if (group !== undefined && classOf(group) === 'NXlog') taken.add(group)
    }
  }
  return taken
}

function groupAt(root: PlanGroup, path: string): PlanGroup | undefined {
  const found = follow(root, path)
  return typeof found === 'object' && found.rest.length === 0 ? found.group : undefined
}

/** The way from the root to the first thing that can be plotted, as `default` of each group on it. */
export function defaultChain({ root }: StructurePlan, taken: ReadonlySet<PlanGroup>): Map<PlanGroup, string> {
  const chain = new Map<PlanGroup, string>()
  // A writer may also have groups of its own and say which of them to plot
  const plottable = (group: PlanGroup): boolean =>
    group.attributes.has('signal') ||
    (group.written.has('@signal') && !taken.has(group)) ||
    group.written.has('@default')
  const visit = (group: PlanGroup): boolean => {
    if (plottable(group)) return true
    let found = false
    for (const child of group.groups.values()) {
      if (visit(child) && !found) {
        chain.set(group, child.name)
        found = true
      }
    }
    return found
  }
  visit(root)
  return chain
}
