// Stream nodes: module, topic, source and config, each checked; the writers are tried out on a group of paper.
import { plainNumbers, CodedError, errorText, meant } from '../../../core/api/plugin.js'
import { type Draft, draftOf } from './drafts.js'
import { below, nameTrouble, own, type Findings, type JsonObject } from './findings.js'
import { fitted, propertyOf } from './fitting.js'
import {
  allGroups,
  joinPath,
  planGroup,
  routeKey,
  type StructurePlan,
  type PlanGroup,
  type PlanStream
} from './plan.js'
import { type WriterParts, writerOf } from './parts.js'
import { type WriterPart } from '../writer-part.js'
import { text, partitions, flag, policy, compression, keyIn } from './stream-keys.js'

/** Keys of a stream's config that are ours, not the writer's. */
const ownKeys = [
  'topic',
  'source',
  'partitions',
  'module',
  'writer_module',
  'on_missing_topic',
  'on_empty_topic',
  'first_after_stop',
  'compression',
  'run_parallel'
]

interface StreamPlace {
  /** What it writes into. */
  readonly group: PlanGroup
  /** The node. */
  readonly at: string
  /** Its config. */
  readonly where: string
}

export function readStream(
  config: JsonObject,
  named: string | undefined,
  { group, at, where }: StreamPlace,
  { plan, parts, findings }: { readonly plan: StructurePlan; readonly parts: WriterParts; readonly findings: Findings }
): void {
  const module = named ?? own(config, 'writer_module') ?? own(config, 'module')
  const moduleAt = named === undefined ? below(where, 'writer_module') : below(at, 'module')
  if (typeof module !== 'string' || module === '')
    return findings.add(moduleAt, 'is missing; name the writer module, e.g. f144')
  const part = writerOf(parts, module)
  if (part === undefined)
    return findings.add(
      moduleAt,
      `no writer module '${module}' is loaded${meant(module, parts.ids('writer'))}; there are ${parts.ids('writer').join(', ')}`,
      'WRITER_UNKNOWN'
    )
  const needed = part.accepts.length > 0
  const topic = text(config, 'topic', needed, where, findings)
  const source = text(config, 'source', needed, where, findings)
  const checked = partConfig(config, part, where, parts, findings)
  if (topic === undefined || source === undefined || checked === undefined) return
  const stream: PlanStream = {
    module,
    part,
    group,
    topic,
    source,
    partitions: partitions(config, where, findings),
    config: checked,
    onMissingTopic: policy(config, 'on_missing_topic', where, findings),
    onEmptyTopic: policy(config, 'on_empty_topic', where, findings),
    compression: compression(config, where, findings),
    firstAfterStop: flag(config, 'first_after_stop', where, findings),
    companion: false,
    at,
    configAt: where
  }
  if (needed && !part.accepts.some((id) => parts.converter(id) !== undefined))
    return findings.add(moduleAt, `no converter for ${part.accepts.join(' or ')} is loaded`, 'CONVERTER_UNKNOWN')
  placeStream(stream, plan, findings)
}

/** Each partition is read once: the streams of a topic take the same partitions, or have none in common. */
export function checkPartitions(plan: StructurePlan, findings: Findings): void {
  const takers = new Map<string, PlanStream>()
  const parted = new Set(plan.streams.flatMap((stream) => (stream.partitions === undefined ? [] : [stream.topic])))
  for (const stream of plan.streams) {
    if (!parted.has(stream.topic) || stream.companion) continue
    const at = below(stream.configAt, 'partitions')
    if (stream.partitions === undefined && !findings.has(at))
      findings.add(at, `is missing: other streams of topic '${stream.topic}' say which partitions they are in`)
    for (const partition of stream.partitions ?? []) {
      const place = routeKey(stream.topic, [partition])
      const first = takers.get(place) ?? stream
      takers.set(place, first)
      if (String(first.partitions) === String(stream.partitions)) continue
      const other = String(first.partitions)
      findings.add(at, `overlaps with ${other} of another stream of topic '${stream.topic}'; have the same or others`)
      break
    }
  }
}

/** Checked, with defaults; what is wrong is found and its key left to the default. undefined when even that does not help. */
function partConfig(
  config: JsonObject,
  part: WriterPart,
  at: string,
  parts: WriterParts,
  findings: Findings
): Record<string, unknown> | undefined {
  const rest = Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => !ownKeys.includes(key))
      .map(([key, value]) => [key, fitted(plainNumbers(value), propertyOf(part.config, key))])
  )
  const wrong = parts.check(part.config, rest, at)
  for (const { path, message } of wrong) findings.add(path, message)
  if (wrong.length === 0) return rest
  const keys = new Set(wrong.map(({ path }) => keyIn(path.slice(at.length))))
  const good = Object.fromEntries(Object.entries(rest).filter(([key]) => !keys.has(key)))
  return parts.check(part.config, good, at).length === 0 ? good : undefined
}

function placeStream(stream: PlanStream, plan: StructurePlan, findings: Findings): void {
  const { group } = stream
  if (!group.bySource) {
    const clash = tryOut(stream, plan, findings)
    if (clash === undefined) return
    // Of one source they would clash in a group of their own, too
    const others = group.streams.some(({ topic, source }) => topic !== '' && source !== stream.source)
    if (stream.topic === '' || !others) return findings.add(stream.at, clash)
    separate(group, plan, findings)
  }
  const own = stream.topic === '' ? group : groupOfSource(group, stream, findings)
  if (own === undefined) return
  const clash = tryOut({ ...stream, group: own }, plan, findings)
  if (clash !== undefined) findings.add(stream.at, clash)
}

/** Moves the streams of a group into groups of their own. */
function separate(group: PlanGroup, plan: StructurePlan, findings: Findings): void {
  const streams = group.streams.splice(0)
  group.bySource = true
  group.written.clear()
  group.writtenLate.clear()
  if (!group.attributes.has('NX_class')) group.attributes.set('NX_class', 'NXcollection')
  for (const stream of streams) {
    plan.streams.splice(plan.streams.indexOf(stream), 1)
    placeStream(stream, plan, findings)
  }
}

/** Named by the source. */
function groupOfSource(parent: PlanGroup, { source, at }: PlanStream, findings: Findings): PlanGroup | undefined {
  const name = source.replaceAll('/', '_')
  const old = parent.groups.get(name)
  if (old !== undefined) return old
  const bad = nameTrouble(name) ?? (parent.datasets.has(name) || parent.links.has(name) ? 'exists already' : undefined)
  if (bad !== undefined) {
    findings.add(at, `the group of source '${source}' in ${parent.path} ${bad}`)
    return undefined
  }
  const group = planGroup(name, parent, at)
  parent.groups.set(name, group)
  return group
}

/** Opens the writer on paper: finds what it refuses. Returns which name another module of the group makes, too. */
function tryOut(stream: PlanStream, plan: StructurePlan, findings: Findings): string | undefined {
  const { group, part, at } = stream
  let draft: Draft
  try {
    draft = draftOf(part, stream.config, group, plan)
  } catch (error) {
    const known = error instanceof CodedError
    const text = `${stream.module}: ${errorText(error)}`
    if (known && error.code === 'HDF5_EXISTS') return text
    findings.add(at + (known ? (error.path ?? '') : ''), text)
    return undefined
  }
  const { made, late } = draft
  const taken = [...made].find((name) => group.writtenLate.has(name)) ?? late.find((name) => isTaken(group, name))
  if (taken !== undefined) {
    const path = joinPath(group.path, taken)
    return `${stream.module}: ${path} is made at the end, and another module of this group makes it, too`
  }
  const bad = late.map(nameTrouble).find((trouble) => trouble !== undefined)
  if (bad !== undefined) {
    findings.add(at, `${stream.module}: the name of a dataset that it makes ${bad}`)
    return undefined
  }
  for (const name of made) group.written.add(name)
  for (const name of late) group.writtenLate.add(name)
  group.streams.push(stream)
  plan.streams.push(stream)
  return undefined
}

/** By another module; what the structure itself has is found by `checkNames`. */
const isTaken = ({ written, writtenLate }: PlanGroup, name: string): boolean =>
  written.has(name) || writtenLate.has(name)

/** Finds what the structure and a module would make under one name; what the structure has is left out. */
export function checkNames(plan: StructurePlan, findings: Findings): void {
  for (const group of allGroups(plan.root)) {
    for (const name of [...group.written, ...group.writtenLate]) {
      const item = group.datasets.get(name) ?? group.links.get(name) ?? group.groups.get(name)
      if (item === undefined) continue
      findings.add(item.at, `${joinPath(group.path, name)} is made by a module of this group; give it another name`)
      for (const map of [group.datasets, group.links, group.groups]) map.delete(name)
    }
  }
  const left = new Set(allGroups(plan.root))
  for (let i = plan.streams.length - 1; i >= 0; i--)
    if (!left.has(plan.streams[i]?.group ?? plan.root)) plan.streams.splice(i, 1)
}

/** A stream of another module, with that one's own config, on what a stream reads. */
export function addStream(
  like: Omit<PlanStream, 'module' | 'part' | 'config'>,
  { module, config }: { readonly module: string; readonly config: JsonObject },
  plan: StructurePlan,
  parts: WriterParts,
  findings: Findings
): void {
  const part = writerOf(parts, module)
  if (part === undefined) return
  const checked = partConfig(config, part, like.at, parts, findings) ?? {}
  const clash = tryOut({ ...like, module, part, config: checked }, plan, findings)
  if (clash !== undefined) findings.add(like.at, clash)
}

/** Alarm and connection logs beside a value, as the field's writer makes them, unless the structure has its own. */
export function addCompanions(plan: StructurePlan, parts: WriterParts, findings: Findings): void {
  for (const stream of [...plan.streams]) {
    for (const module of stream.part.companions?.(stream.config) ?? []) {
      const part = writerOf(parts, module)
      if (part === undefined || part.accepts.every((id) => parts.converter(id) === undefined)) continue
      if (stream.group.streams.some((other) => other.part === part)) continue
      const config = partConfig({}, part, stream.at, parts, findings) ?? {}
      const clash = tryOut({ ...stream, module, part, config, companion: true }, plan, findings)
      if (clash !== undefined) findings.add(stream.at, clash)
    }
  }
}
