// Flavour `mantid`: what a plan gets beside its usual layout, so that Mantid finds events, logs and the start of the run.
import { type Findings } from './findings.js'
import { allGroups, joinPath, planGroup, type PlanGroup, type PlanStream, type StructurePlan } from './plan.js'
import { classOf } from './plotting.js'
import { type WriterParts, writerOf } from './parts.js'
import { addStream } from './streams.js'

/** Names that say nothing of what is in the group. */
const plain = new Set(['events', 'event', 'data', 'value', 'value_log', 'log', 'time_series'])

/** Adds links to events, logs in DASlogs and the times of the run to each entry; streams get the config that Mantid needs. */
export function makeMantid(plan: StructurePlan, parts: WriterParts, findings: Findings): void {
  const reading = { plan, parts, findings }
  for (const stream of [...plan.streams]) flavoured(stream, plan)
  for (const entry of plan.root.groups.values()) {
    if (classOf(entry) !== 'NXentry') continue
    linkEvents(entry)
    for (const group of allGroups(entry)) if (isFound(group, entry)) remake(group, reading)
    addLogs(entry, reading)
    addTimes(entry, reading)
  }
}

interface Remaking {
  readonly plan: StructurePlan
  readonly parts: WriterParts
  readonly findings: Findings
}

function flavoured(stream: PlanStream, plan: StructurePlan): void {
  const config = stream.part.mantid?.config?.(stream.config)
  if (config === undefined) return
  const other = { ...stream, config }
  for (const list of [plan.streams, stream.group.streams]) list.splice(list.indexOf(stream), 1, other)
}

/** Mantid looks for events right below the entry only. Those of monitors are no detector's. */
function linkEvents(entry: PlanGroup): void {
  const groups = [...allGroups(entry)].filter(
    (group) => group.parent !== entry && classOf(group) === 'NXevent_data' && !isOfMonitor(group)
  )
  const names = namesOf(groups, entry, (name) => `${name.replace(/_?events$/, '') || name}_events`)
  for (const [group, name] of names) addLink(entry, name, group.path, group.at)
}

function isOfMonitor(group: PlanGroup): boolean {
  for (let at = group.parent; at !== undefined; at = at.parent) if (classOf(at) === 'NXmonitor') return true
  return false
}

/** Where Mantid looks for logs by itself. */
const isHome = (group: PlanGroup, entry: PlanGroup): boolean =>
  group.parent === entry &&
  (['DASlogs', 'framelog'].includes(group.name) || ['IXselog', 'IXrunlog'].includes(classOf(group)))

/** A log that Mantid finds where the structure has it: it is written as Mantid reads it. */
const isFound = ({ parent, name }: PlanGroup, entry: PlanGroup): boolean =>
  parent !== undefined &&
  (isHome(parent, entry) || (name === 'value_log' && parent.parent !== undefined && isHome(parent.parent, entry)))

/** Opens the writers of a group anew, those of Mantid in the place of others. */
function remake(group: PlanGroup, { plan, parts, findings }: Remaking): void {
  const streams = group.streams.splice(0)
  if (streams.length === 0) return
  group.written.clear()
  group.writtenLate.clear()
  for (const stream of streams) {
    plan.streams.splice(plan.streams.indexOf(stream), 1)
    const [log] = stream.part.mantid?.logs?.(stream.config) ?? []
    const isOther = log !== undefined && 'module' in log && writerOf(parts, log.module) !== undefined
    addStream(stream, isOther ? log : stream, plan, parts, findings)
  }
}

function addLogs(entry: PlanGroup, { plan, parts, findings }: Remaking): void {
  const wanted = plan.streams
    .filter(({ group, companion }) => isIn(entry, group) && !isFound(group, entry) && !companion)
    .flatMap((stream) => (stream.part.mantid?.logs?.(stream.config) ?? []).map((log) => ({ stream, log })))
    .filter(({ log }) => !('module' in log) || writerOf(parts, log.module) !== undefined)
  const logs = wanted.length === 0 ? undefined : logsGroup(entry)
  if (logs === undefined) return
  const unnamed = wanted.flatMap(({ stream, log }) => ('module' in log ? [stream.group] : []))
  const names = namesOf(unnamed, entry, (name) => name)
  for (const { stream, log } of wanted) {
    if ('link' in log) {
      const isThere = isHome(stream.group, entry) && log.name === log.link
      if (!isThere) addLink(logs, log.name, joinPath(stream.group.path, log.link), stream.at)
      continue
    }
    const name = names.get(stream.group) ?? stream.group.name
    if (isTaken(logs, name)) continue
    const group = planGroup(name, logs, stream.at)
    logs.groups.set(name, group)
    addStream({ ...stream, group, companion: true }, log, plan, parts, findings)
  }
}

/** Undefined where the structure has something else of this name. */
function logsGroup(entry: PlanGroup): PlanGroup | undefined {
  const old = entry.groups.get('DASlogs')
  if (old !== undefined || isTaken(entry, 'DASlogs')) return old
  const logs = planGroup('DASlogs', entry, entry.at)
  logs.attributes.set('NX_class', 'NXcollection')
  entry.groups.set('DASlogs', logs)
  return logs
}

/** Mantid takes the start of the run from the entry where no log of the charge tells it. */
function addTimes(entry: PlanGroup, { plan, parts, findings }: Remaking): void {
  const items = ['start_time', 'end_time'].filter((name) => !isTaken(entry, name))
  const isWritten = entry.streams.some(({ part }) => part.id === 'mdat')
  if (items.length === 0 || isWritten || writerOf(parts, 'mdat') === undefined) return
  const keys = { topic: '', source: '', partitions: undefined, compression: undefined, companion: true }
  const policies = { onMissingTopic: undefined, onEmptyTopic: undefined, firstAfterStop: false }
  const place = { group: entry, at: entry.at, configAt: entry.at }
  addStream({ ...keys, ...policies, ...place }, { module: 'mdat', config: { items } }, plan, parts, findings)
}

function addLink(into: PlanGroup, name: string, target: string, at: string): void {
  if (!isTaken(into, name)) into.links.set(name, { name, kind: 'hard', target, at })
}

function isIn(entry: PlanGroup, group: PlanGroup): boolean {
  for (let at: PlanGroup | undefined = group; at !== undefined; at = at.parent) if (at === entry) return true
  return false
}

const isTaken = ({ groups, datasets, links, written, writtenLate }: PlanGroup, name: string): boolean =>
  groups.has(name) || datasets.has(name) || links.has(name) || written.has(name) || writtenLate.has(name)

/** Short names that are each of one group: of the group itself where that is enough, else with those of its parents. */
function namesOf(
  groups: readonly PlanGroup[],
  entry: PlanGroup,
  finish: (name: string) => string
): ReadonlyMap<PlanGroup, string> {
  const paths = new Map(groups.map((group) => [group, group.path.slice(entry.path.length + 1).split('/')]))
  const depths = new Map([...paths].map(([group, path]) => [group, plain.has(path.at(-1) ?? '') ? 2 : 1]))
  const nameOf = (group: PlanGroup): string => {
    const words = (paths.get(group) ?? [group.name]).slice(-(depths.get(group) ?? 1))
    return finish((words.length > 1 ? words.filter((word) => !plain.has(word)) : words).join('_') || group.name)
  }
  for (;;) {
    const names = new Map([...paths.keys()].map((group) => [group, nameOf(group)]))
    const uses = new Map<string, number>()
    for (const name of names.values()) uses.set(name, (uses.get(name) ?? 0) + 1)
    const longer = [...names]
      .filter(
        ([group, name]) => (uses.get(name) ?? 0) > 1 && (depths.get(group) ?? 1) < (paths.get(group)?.length ?? 1)
      )
      .map(([group]) => group)
    if (longer.length === 0) return names
    for (const group of longer) depths.set(group, (depths.get(group) ?? 1) + 1)
  }
}
