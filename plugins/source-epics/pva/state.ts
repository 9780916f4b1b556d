// The merged content of one monitor: servers send only what changed, marked by one bit per field.
import { type PvStructure, type PvValue } from '../../../schemas/index.js'
import { Loan } from '../shared/loan.js'
import { type PvaReader } from './reader.js'
import { Code, type PvType, type StructureType, type TypeCache } from './types.js'
import { emptyValue, readScalar, readValue } from './value.js'

interface Node {
  readonly path: string
  readonly name: string
  readonly type: PvType
  /** Number of the first field after this one and what it contains. */
  readonly next: number
  /** Value, alarm or time, not only display and control. */
  readonly isData: boolean
  /** Scalar code, -1 for other types (the quick way for most fields). */
  readonly code: number
  /** int64 seconds are kept as number: read for every update. */
  readonly isSeconds: boolean
}

const METADATA = new Set(['display', 'control', 'valueAlarm', 'descriptor'])

/** Fields in depth-first order: field i has bit i of the masks; 0 is the whole structure. */
export class MonitorState {
  readonly type: StructureType
  readonly #nodes: Node[] = []
  readonly #values: PvValue[] = []
  /** The memory of a large vector, and the field that holds it. */
  #loan: Loan | undefined
  #lentTo = -1

  constructor(type: StructureType) {
    this.type = type
    this.#add(type, '', '', true)
  }

  #add(type: PvType, path: string, name: string, isData: boolean): void {
    const i = this.#nodes.length
    const code = type.kind === 'scalar' ? type.code : -1
    const isSeconds = code === Code.INT64 && name === 'secondsPastEpoch'
    const node = { path, name, type, next: i + 1, isData, code, isSeconds }
    this.#nodes.push(node)
    this.#values.push(type.kind === 'structure' ? null : isSeconds ? 0 : emptyValue(type))
    if (type.kind !== 'structure') return
    for (const field of type.fields) {
      const below = path === '' ? field.name : `${path}.${field.name}`
      this.#add(field.type, below, field.name, path === '' ? !METADATA.has(field.name) : isData)
    }
    node.next = this.#nodes.length
  }

  /** Number of the field at a dotted path; -1: there is none. */
  indexOf(path: string): number {
    return this.#nodes.findIndex((node) => node.path === path)
  }

  typeOf(index: number): PvType | undefined {
    return this.#nodes[index]?.type
  }

  /** Value of the field with this number; for structures use `structure`. */
  get(index: number): PvValue {
    return this.#values[index] ?? null
  }

  /** For an update with the present content: lets its memory be used again once the content has changed, too. */
  lend(): (() => void) | undefined {
    return this.#loan?.hold()
  }

  /** A structure as it is now, in a tree of its own. */
  structure(index = 0): PvStructure {
    const node = this.#nodes[index] as Node
    const fields = new Map<string, PvValue>()
    for (let i = index + 1; i < node.next;) {
      const child = this.#nodes[i] as Node
      const value = this.#values[i] ?? null
      if (child.type.kind === 'structure') fields.set(child.name, this.structure(i))
      else fields.set(child.name, child.isSeconds ? BigInt(value as number) : value)
      i = child.next
    }
    return { typeId: node.type.kind === 'structure' ? node.type.id : '', fields }
  }

  /**
   * Reads the next mask and the fields it names; true when there was more than metadata among them.
   * Throws RangeError when it names a field that is not there or the message is too short.
   */
  apply(reader: PvaReader, cache: TypeCache): boolean {
    const mask = reader.mask()
    let done = 0
    let isData = false
    for (let byte = 0; byte < mask.length; byte++) {
      let bits = reader.maskByte(mask.at, mask.length, byte)
      while (bits !== 0) {
        const index = byte * 8 + 31 - Math.clz32(bits & -bits)
        bits &= bits - 1
        if (index < done) continue
        const node = this.#nodes[index]
        if (node === undefined) throw new RangeError(`PVA: update of field ${index}, which is not there`)
        isData ||= node.isData
        done = node.next
        for (let i = index; i < done; i++) this.#read(i, reader, cache)
      }
    }
    return isData
  }

  #read(index: number, reader: PvaReader, cache: TypeCache): void {
    const node = this.#nodes[index] as Node
    if (node.code >= 0) this.#values[index] = node.isSeconds ? reader.i64AsNumber() : readScalar(reader, node.code)
    else if (node.type.kind !== 'structure') this.#readOther(index, node.type, reader, cache)
  }

  #readOther(index: number, type: PvType, reader: PvaReader, cache: TypeCache): void {
    const value = readValue(reader, type, cache)
    this.#values[index] = value
    if (this.#lentTo === index) {
      this.#loan?.release()
      this.#loan = undefined
    }
    const memory = reader.lent()
    if (memory === undefined) return
    this.#loan = new Loan(memory)
    this.#lentTo = index
  }
}
