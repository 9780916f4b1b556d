// Splits a nexus_structure over several files by topic (and partition, where it says which). The first file holds the rest, and links to the others.
import { basename, dirname, extname, join } from 'node:path'
import { isObject, own, type JsonObject } from './findings.js'
import { joinPath, routeKey } from './plan.js'
import { readJson } from '../../../schemas/index.js'

export interface Shard {
  readonly structure: JsonObject
  /** Of this part of the data; the first one has the name that was asked for. */
  readonly fileName: string
  readonly topics: readonly string[]
}

interface Unit {
  readonly node: JsonObject
  readonly path: string
  readonly topics: readonly string[]
  readonly streams: number
  /** Has links, which need not work in another file. */
  readonly stays: boolean
}

/** `run.nxs` → `run_1.nxs` for the second shard. */
export function shardName(fileName: string, index: number): string {
  if (index === 0) return fileName
  const extension = extname(fileName)
  return join(dirname(fileName), `${basename(fileName, extension)}_${index}${extension}`)
}

/**
 * At most `most` shards: the first is the master file. A group with streams goes as a whole; topics that share a group stay
 * together, so that each topic is read once. One shard when there is nothing to divide or the structure is not sound.
 */
export function splitStructure(structure: unknown, fileName: string, most: number): Shard[] {
  const root = parsed(structure)
  const whole = [{ structure: isObject(root) ? root : {}, fileName, topics: [] }]
  // Links of a flavour lead all over the file
  if (!isObject(root) || (own(root, 'flavour') ?? 'usual') !== 'usual') return whole
  const units: Unit[] = []
  findUnits(root, '/', units)
  const clusters = clustersOf(units)
  const count = Math.min(most, clusters.length)
  if (count < 2) return whole
  const loads = Array.from({ length: count }, () => 0)
  const places = new Map<string, number>()
  // What must stay comes first and counts for the master
  for (const { topics, streams, stays } of clusters) {
    const index = stays ? 0 : loads.indexOf(Math.min(...loads))
    loads[index] = (loads[index] ?? 0) + streams
    for (const topic of topics) places.set(topic, index)
  }
  const used = [...new Set(places.values())].filter((index) => index > 0).sort((a, b) => a - b)
  const homes = new Map(units.map((unit) => [unit.node, unit.stays ? 0 : (places.get(unit.topics[0] ?? '') ?? 0)]))
  const topicsOf = (index: number): string[] => [...places].filter(([, at]) => at === index).map(([topic]) => topic)
  const shards = [0, ...used]
  const names = new Map(shards.map((index, i) => [index, shardName(fileName, i)]))
  return shards.map((index) => ({
    structure: (index === 0 ? master(root, '/', homes, names) : skeleton(root, index, homes)) ?? {},
    fileName: names.get(index) ?? fileName,
    topics: topicsOf(index)
  }))
}

/** Undefined for text that is no JSON: the check of the structure says why. */
export function parsed(structure: unknown): unknown {
  if (typeof structure !== 'string') return structure
  try {
    return readJson(structure)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined
    throw error
  }
}

const childrenOf = (node: JsonObject): readonly JsonObject[] => {
  const children = own(node, 'children')
  return Array.isArray(children) ? children.filter(isObject) : []
}
const isGroup = (node: JsonObject): boolean => own(node, 'type') === 'group' && typeof own(node, 'name') === 'string'

/** The topic of a stream node of either grammar, or those partitions of it that it asks for. */
function topicOf(node: JsonObject): string | undefined {
  const config = own(node, 'type') === 'stream' ? own(node, 'stream') : own(node, 'config')
  const topic = isObject(config) ? own(config, 'topic') : undefined
  if (typeof topic !== 'string' || topic === '') return undefined
  const partitions = isObject(config) ? own(config, 'partitions') : undefined
  return routeKey(topic, Array.isArray(partitions) ? partitions.toSorted((a, b) => Number(a) - Number(b)) : undefined)
}

/** Topmost groups that hold a stream of their own; streams of the root and of the entries themselves stay. */
function findUnits(node: JsonObject, path: string, units: Unit[]): void {
  for (const child of childrenOf(node)) {
    if (!isGroup(child)) {
      const topic = topicOf(child)
      if (topic !== undefined) units.push({ node: child, path, topics: [topic], streams: 1, stays: true })
      continue
    }
    const hasStream = childrenOf(child).some((one) => topicOf(one) !== undefined)
    const at = joinPath(path, own(child, 'name') as string)
    if (!hasStream || path === '/') findUnits(child, at, units)
    else units.push(unitOf(child, at))
  }
}

function unitOf(node: JsonObject, path: string): Unit {
  const topics: string[] = []
  let stays = false
  const visit = (group: JsonObject): void => {
    for (const child of childrenOf(group)) {
      const topic = topicOf(child)
      if (topic !== undefined) topics.push(topic)
      if (own(child, 'type') === 'link' || own(child, 'module') === 'link') stays = true
      visit(child)
    }
  }
  visit(node)
  return { node, path, topics, streams: topics.length, stays }
}

type UnitCluster = Pick<Unit, 'stays' | 'streams'> & { readonly topics: Set<string> }

/** Topics that are tied together by a group; those that must stay first. */
function clustersOf(units: readonly Unit[]): UnitCluster[] {
  let clusters: UnitCluster[] = []
  for (const { topics, streams, stays } of units) {
    const tied = clusters.filter((cluster) => topics.some((topic) => cluster.topics.has(topic)))
    clusters = clusters.filter((cluster) => !tied.includes(cluster))
    clusters.push({
      topics: new Set([...topics, ...tied.flatMap((cluster) => [...cluster.topics])]),
      streams: tied.reduce((sum, cluster) => sum + cluster.streams, streams),
      stays: stays || tied.some((cluster) => cluster.stays)
    })
  }
  const stay = clusters.filter((cluster) => cluster.stays)
  const free = clusters.filter((cluster) => !cluster.stays).sort((a, b) => b.streams - a.streams)
  const together = { topics: new Set(stay.flatMap(({ topics }) => [...topics])), stays: true }
  const streams = stay.reduce((sum, cluster) => sum + cluster.streams, 0)
  return stay.length === 0 ? free : [{ ...together, streams }, ...free]
}

type Homes = ReadonlyMap<JsonObject, number>

/** Everything, with external links in the place of groups that moved. Links to what moved become soft: hard ones end with a file. */
function master(node: JsonObject, path: string, homes: Homes, names: ReadonlyMap<number, string>): JsonObject {
  if (!Array.isArray(own(node, 'children'))) return node
  const children = (own(node, 'children') as unknown[]).map((child) => {
    if (!isObject(child)) return child
    const link = linkNode(child)
    if (link !== undefined) return link
    if (!isGroup(child)) return child
    const at = joinPath(path, own(child, 'name') as string)
    const home = homes.get(child) ?? 0
    if (home === 0) return master(child, at, homes, names)
    return {
      type: 'link',
      name: own(child, 'name'),
      kind: 'external',
      file: basename(names.get(home) ?? ''),
      target: at
    }
  })
  return { ...node, children }
}

/** A link of the master as a soft one, in its own grammar. */
function linkNode(node: JsonObject): JsonObject | undefined {
  const soft = (config: JsonObject): JsonObject =>
    own(config, 'kind') === undefined && own(config, 'file') === undefined ? { ...config, kind: 'soft' } : config
  if (own(node, 'type') === 'link') return soft(node)
  const config = own(node, 'config')
  return own(node, 'module') === 'link' && isObject(config) ? { ...node, config: soft(config) } : undefined
}

/** Only the groups of one shard and the way to them. */
function skeleton(node: JsonObject, index: number, homes: Homes): JsonObject | undefined {
  const children = childrenOf(node).flatMap((child) => {
    if (homes.get(child) === index) return [child]
    const rest = isGroup(child) && !homes.has(child) ? skeleton(child, index, homes) : undefined
    return rest === undefined ? [] : [rest]
  })
  return children.length === 0 ? undefined : { ...node, children }
}
