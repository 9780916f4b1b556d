// Plan → groups, datasets, attributes and links of a file. Links to what is made at close wait until then.
import { defaultChain, takenLogs } from './plotting.js'
import {
  allGroups,
  joinPath,
  type StructurePlan,
  type PlanDataset,
  type PlanGroup,
  type PlanLink,
  type PlanStream
} from './plan.js'
import { type AttributeValue, type Attributes, type Column, type ColumnOptions, type Group } from '../writer-part.js'

/** Options for every growing dataset that does not say otherwise. */
export interface BuildOptions {
  readonly compression?: ColumnOptions['compression']
}

export interface Built {
  readonly groups: ReadonlyMap<PlanGroup, Group>
  /** Makes the links that had to wait; returns those that cannot be made. */
  finish(): PlanLink[]
}

/** Makes everything a file has before its first message. `open` is called for each stream with its group. */
export function buildFile(
  plan: StructurePlan,
  root: Group,
  rootAttributes: Attributes,
  open: (stream: PlanStream, group: Group) => void,
  options: BuildOptions = {}
): Built {
  const groups = new Map<PlanGroup, Group>()
  const taken = takenLogs(plan.root)
  const defaults = defaultChain(plan, taken)
  const build = (node: PlanGroup, group: Group): void => {
    groups.set(node, group)
    for (const dataset of node.datasets.values()) makeDataset(group, dataset)
    for (const child of node.groups.values()) build(child, group.group(child.name, attributesOf(child, defaults)))
    const given = new Set(Object.keys(attributesOf(node, defaults)))
    if (taken.has(node)) for (const name of ['signal', 'axes']) given.add(name)
    for (const stream of node.streams) open(stream, new GuardedGroup(group, given, packing(stream, options)))
  }
  const attributes = { ...rootAttributes, ...attributesOf(plan.root, defaults) }
  for (const [name, value] of Object.entries(attributes)) setAttribute(root, name, value)
  build(plan.root, root)
  const waiting = makeLinks(plan, groups, false)
  return { groups, finish: () => (waiting.length === 0 ? [] : makeLinks(plan, groups, true)) }
}

function attributesOf(node: PlanGroup, defaults: ReadonlyMap<PlanGroup, string>): Attributes {
  const attributes: Record<string, Attributes[string]> = Object.fromEntries(node.attributes)
  const [stream] = node.streams
  if (stream !== undefined) {
    attributes['NX_class'] ??= stream.part.nxClass
  }
  const data = node.streams.find(({ topic }) => topic !== '')
  if (data !== undefined) {
    attributes['topic'] ??= data.topic
    attributes['source'] ??= data.source
    attributes['writer_module'] ??= data.module
  }
  const chosen = defaults.get(node)
  if (chosen !== undefined) attributes['default'] ??= chosen
  return attributes
}

export function setAttribute(group: Group, name: string, value: Attributes[string]): void {
  if (typeof value === 'object' && !Array.isArray(value) && 'dtype' in value)
    group.attribute(name, value.value, value.dtype, value.shape)
  else group.attribute(name, value as AttributeValue)
}

function makeDataset(group: Group, dataset: PlanDataset): void {
  const { name, dtype, shape, value, attributes } = dataset
  if (!dataset.unlimited || dtype === 'string') return group.dataset(name, value, { dtype, shape, attributes })
  const [rows = 0, ...row] = shape
  const column = group.column(name, { dtype, row, chunk: Math.max(1, rows), attributes })
  if (ArrayBuffer.isView(value)) column.append(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  else for (const text of value as readonly string[]) column.appendString(text)
}

type Packing = (column: ColumnOptions) => ColumnOptions

/** What the stream says goes before what the writer wants, and that before what the job has for all. */
function packing({ compression: own }: PlanStream, { compression: usual }: BuildOptions): Packing {
  if (own === undefined)
    return usual === undefined ? (column) => column : (column) => ({ compression: usual, ...column })
  if (own !== null) return (column) => ({ ...column, compression: own })
  return ({ compression: _compression, ...column }) => column
}

/** What a writer gets: attributes of the structure (or of an earlier writer) stay as they are. */
class GuardedGroup implements Group {
  readonly #group: Group
  readonly #taken: Set<string>
  readonly #given: ReadonlySet<string>
  readonly #pack: Packing

  constructor(group: Group, taken: Set<string>, pack: Packing) {
    this.#group = group
    this.#taken = taken
    this.#given = new Set(taken)
    this.#pack = pack
  }

  get path(): string {
    return this.#group.path
  }

  has(name: string): boolean {
    return this.#group.has(name)
  }

  group(name: string, attributes: Attributes = {}): Group {
    return new GuardedGroup(this.#group.group(name, attributes), new Set(Object.keys(attributes)), this.#pack)
  }

  column(name: string, options: ColumnOptions): Column {
    return this.#group.column(name, this.#pack(options))
  }

  dataset(...args: Parameters<Group['dataset']>): void {
    this.#group.dataset(...args)
  }

  attribute(...args: Parameters<Group['attribute']>): void {
    const [name] = args
    if (this.#taken.has(name)) return
    this.#taken.add(name)
    this.#group.attribute(...args)
  }

  datasetAttribute(...args: Parameters<Group['datasetAttribute']>): void {
    const [dataset, name] = args
    if (dataset !== '.' || !this.#given.has(name)) this.#group.datasetAttribute(...args)
  }

  link(...args: Parameters<Group['link']>): void {
    this.#group.link(...args)
  }
}

/** Makes every link whose target is there by now, targets first; returns the others. */
function makeLinks(plan: StructurePlan, groups: ReadonlyMap<PlanGroup, Group>, last: boolean): PlanLink[] {
  let waiting: [PlanGroup, PlanLink][] = []
  for (const group of allGroups(plan.root))
    for (const link of group.links.values())
      if (groups.get(group)?.has(link.name) === false) waiting.push([group, link])
  for (let progress = true; progress;) {
    const left = waiting.filter(([node, link]) => {
      const ready = link.kind !== 'hard' || isThere(plan.root, groups, link.target)
      if (ready) groups.get(node)?.link(link.name, link.target, link.kind)
      return !ready
    })
    progress = left.length < waiting.length
    waiting = left
  }
  return last || waiting.length > 0 ? waiting.map(([, link]) => link) : []
}

function isThere(root: PlanGroup, groups: ReadonlyMap<PlanGroup, Group>, path: string): boolean {
  let node: PlanGroup = root
  const parts = path.split('/').filter((part) => part !== '')
  for (const [i, part] of parts.entries()) {
    if (groups.get(node)?.has(part) !== true) return false
    const link = node.links.get(part)
    if (link !== undefined)
      return link.kind === 'external' || isThere(root, groups, joinPath(link.target, parts.slice(i + 1).join('/')))
    const child = node.groups.get(part)
    if (child === undefined) return true
    node = child
  }
  return true
}
