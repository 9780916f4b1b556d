// The newest message of each histogram: kept as it came, decoded when somebody asks for its numbers.
import { type Converter, type DataArrayRecord, type HistogramRecord } from '../../../schemas/index.js'
import { type HistogramRow } from '../wire.js'
import { laidOut } from './layout.js'
import { bodyOf, ofDataArray, ofHistogram, type Pictured } from './numbers.js'
import { type HistogramQuestion } from './protocol.js'

interface Kept {
  row: HistogramRow
  message: Buffer
}

/** What the main thread knows. */
const unknown = { input: null, tof_range: null, grids: [] } as const

/** Most histograms that are kept, newest first. */
const MOST = 200

const picture = (schema: string, converter: Converter, message: Buffer): Pictured | undefined => {
  const record = converter.decode?.(message)
  return schema === 'da00' ? ofDataArray(record as DataArrayRecord) : ofHistogram(record as HistogramRecord)
}
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null)

export class Histograms {
  readonly #kept = new Map<string, Kept>()
  #version = 0
  #isNew = false

  take(topic: string, schema: string, message: Buffer, converter: Converter): void {
    if (!['hs00', 'hs01', 'da00'].includes(schema)) return
    const shown = picture(schema, converter, message)
    if (shown === undefined) return
    const { source, timeMs, shape, axes, info } = shown
    const id = text(info['id']) || source
    const key = `${topic}:${id}`
    const state = text(info['state'])
    const known = { key, topic, id, source, schema, shape, axes, state, time_ms: timeMs }
    const row = { ...known, version: ++this.#version, sum: number(info['sum']), rate: number(info['rate']), ...unknown }
    const before = this.#kept.get(key)
    this.#kept.delete(key)
    // The memory of the one before is used again
    const same = before !== undefined && before.message.length === message.length
    const copy = same ? before.message : Buffer.allocUnsafe(message.length)
    message.copy(copy)
    this.#kept.set(key, { row, message: copy })
    if (this.#kept.size > MOST) this.#kept.delete(this.#kept.keys().next().value ?? '')
    this.#isNew = true
  }

  /** All, when there is anything new. */
  changed(): HistogramRow[] | undefined {
    if (!this.#isNew) return undefined
    this.#isNew = false
    return [...this.#kept.values()].map(({ row }) => row).toSorted((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** Undefined: there is none. */
  body(
    { key, bin, layout }: HistogramQuestion,
    converter: (id: string) => Converter | undefined
  ): Uint8Array | undefined {
    const kept = this.#kept.get(key)
    const opened = kept === undefined ? undefined : converter(kept.row.schema)
    if (kept === undefined || opened === undefined) return undefined
    const shown = picture(kept.row.schema, opened, kept.message)
    if (shown === undefined) return undefined
    const name = layout === undefined ? '' : `${layout.grid.id}:${layout.view}`
    return bodyOf(kept.row, layout === undefined ? shown : laidOut(shown, layout), { bin, layout: name })
  }
}
