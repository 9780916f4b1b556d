// What a checked nexus_structure comes to: a tree of groups with typed content, and the list of its streams.
import { type Flavour } from './flavour.js'
import {
  type Attributes,
  type ColumnOptions,
  type DataType,
  type DatasetValue,
  type WriterPart
} from '../writer-part.js'

export interface PlanDataset {
  readonly name: string
  readonly dtype: DataType
  readonly shape: readonly number[]
  readonly value: DatasetValue
  /** The first dimension may grow. */
  readonly unlimited: boolean
  readonly attributes: Attributes
  readonly at: string
}

export interface PlanLink {
  readonly name: string
  readonly kind: 'hard' | 'soft' | 'external'
  /** Absolute path in the file; `FILE:PATH` when external. */
  readonly target: string
  readonly at: string
}

/** What to do when the topic of a stream does not exist or holds nothing. */
export type MissingTopic = 'wait' | 'skip' | 'fail'

export interface PlanStream {
  /** Module id as the structure says it. */
  readonly module: string
  readonly part: WriterPart
  readonly group: PlanGroup
  /** "" for a writer without topic and source. */
  readonly topic: string
  readonly source: string
  /** Of its topic, ascending; undefined: all. */
  readonly partitions: readonly number[] | undefined
  /** Checked, with defaults. */
  readonly config: Readonly<Record<string, unknown>>
  readonly onMissingTopic: MissingTopic | undefined
  readonly onEmptyTopic: MissingTopic | undefined
  readonly firstAfterStop: boolean
  /** Of the growing datasets; null: none; undefined: as the job has it. */
  readonly compression: ColumnOptions['compression'] | null
  /** Opened because another writer of the group asks for it. */
  readonly companion: boolean
  readonly at: string
  /** JSON path of its config. */
  readonly configAt: string
}

export interface PlanGroup {
  readonly name: string
  /** Absolute path in the file. */
  readonly path: string
  readonly at: string
  readonly parent: PlanGroup | undefined
  readonly attributes: Map<string, Attributes[string]>
  readonly groups: Map<string, PlanGroup>
  readonly datasets: Map<string, PlanDataset>
  readonly links: Map<string, PlanLink>
  readonly streams: PlanStream[]
  /** Names of what the writers make in this group: at open, and perhaps at close. */
  readonly written: Set<string>
  readonly writtenLate: Set<string>
  /** Streams that do not fit side by side have groups of their own, by source. */
  bySource: boolean
}

export interface StructurePlan {
  readonly root: PlanGroup
  /** As the structure or its template says; undefined: as the job does. */
  flavour?: Flavour
  readonly streams: PlanStream[]
}

export const planGroup = (name: string, parent: PlanGroup | undefined, at: string): PlanGroup => ({
  name,
  path: parent === undefined ? '/' : joinPath(parent.path, name),
  at,
  parent,
  attributes: new Map(),
  groups: new Map(),
  datasets: new Map(),
  links: new Map(),
  streams: [],
  written: new Set(),
  writtenLate: new Set(),
  bySource: false
})

/** A topic, or the partitions of it that a stream asks for: what is read and routed together. */
export const routeKey = (topic: string, partitions: readonly number[] | undefined): string =>
  partitions === undefined ? topic : `${topic} [${partitions.join(', ')}]`

export const joinPath = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`)

/** Every group of the tree, parents first. */
export function* allGroups(group: PlanGroup): Generator<PlanGroup> {
  yield group
  for (const child of group.groups.values()) yield* allGroups(child)
}
