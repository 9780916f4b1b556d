// Groups, datasets and links of a file that is made here, as they are kept in memory.
import { CodedError } from '../../../core/api/plugin.js'

/** Their number is 16 bits; the rest is for what the writer adds. */
const MOST_MESSAGES = 0xffff - 15

/** Of what is in the file: one for all. */
export const NO_MESSAGES: Buffer[] = []

export interface PlannedItem {
  readonly path: string
  /** 0 until it is written. */
  address: number
  references: number
  /** Messages in the file. */
  count: number
  /** Of the header, not yet in the file; later ones are attributes. */
  messages: Buffer[]
  /** Names of attributes in the file that are to be taken off. */
  removed: Set<string> | undefined
}
export interface PlannedGroup extends PlannedItem {
  readonly kind: 'group'
  readonly children: Map<string, Planned>
  /** It has external links, so all its links are messages. */
  external: boolean
  /** Number of messages that hold its links in the file; 0 for a symbol table. */
  links: number
}
export interface PlannedDataset extends PlannedItem {
  readonly kind: 'dataset'
  /** Dataspace and layout of a column: they lie in the table of lengths. */
  growing: { readonly messages: Buffer; readonly index: boolean; at: number } | undefined
}
interface PlannedLink {
  readonly kind: 'soft' | 'external'
  readonly target: string
}
export type Planned = PlannedGroup | PlannedDataset | PlannedLink

export const isObject = (item: Planned): item is PlannedGroup | PlannedDataset =>
  item.kind === 'group' || item.kind === 'dataset'

/** Throws STRUCTURE_INVALID when the header cannot hold one message more. */
export function room(item: PlannedGroup | PlannedDataset, external = item.kind === 'group' && item.external): void {
  const links = item.kind === 'group' && external ? item.children.size - item.links : 0
  if (item.count + item.messages.length + links >= MOST_MESSAGES)
    throw new CodedError('STRUCTURE_INVALID', `${item.path}: more attributes or links than one object can have`, {
      path: item.path
    })
}

// Whole literals: there are tens of thousands of them, and spread costs more than all else that is done with one.
export const newGroup = (path: string): PlannedGroup => ({
  kind: 'group',
  path,
  address: 0,
  references: 1,
  count: 0,
  messages: [],
  removed: undefined,
  children: new Map(),
  external: false,
  links: 0
})

export const newDataset = (path: string, messages: Buffer[], growing: PlannedDataset['growing']): PlannedDataset => ({
  kind: 'dataset',
  path,
  address: 0,
  references: 1,
  count: 0,
  messages,
  removed: undefined,
  growing
})
