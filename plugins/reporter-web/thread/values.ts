// The newest value of each PV with its unit, alarm and connection, as its messages say them, and its last numbers.
import {
  type AlarmRecord,
  type ConnectionRecord,
  type LogRecord,
  msOf,
  type UnitsRecord
} from '../../../schemas/index.js'
import { type PvRow } from '../wire.js'

/** Numbers kept of each. */
const KEPT = 600
/** What goes with a change; more is asked for. */
const TOLD = 60
const MOST = 20_000

interface Known {
  row: Omit<PvRow, 'history'>
  readonly history: [number, number][]
}

/** A value as JSON has it; of an array its first ones. */
function plain(value: LogRecord['value']): number | string | null {
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number' || typeof value === 'string') return value
  if ('dtype' in value) return `${value.dtype} × ${value.length}`
  return value.slice(0, 20).join(', ')
}

export class Values {
  readonly #known = new Map<string, Known>()
  readonly #changed = new Set<Known>()

  take(topic: string, schema: string, record: unknown): void {
    const { source, timestampNs } = record as { source?: string; timestampNs?: bigint }
    if (source === undefined || timestampNs === undefined) return
    const timeMs = msOf(timestampNs)
    if (schema === 'f142' || schema === 'f144') {
      const { value, alarm } = record as LogRecord
      const known = this.#of(source, topic, schema)
      if (timeMs < known.row.time_ms) return
      const shown = plain(value)
      const severity = alarm === undefined ? known.row.severity : alarm.severity
      known.row = { ...known.row, topic, schema, value: shown, severity, time_ms: timeMs }
      if (typeof shown !== 'number') return
      known.history.push([timeMs, shown])
      if (known.history.length > KEPT) known.history.shift()
    } else if (schema === 'al00') {
      const { severity, message } = record as AlarmRecord
      this.#change(source, topic, schema, { severity, alarm: message })
    } else if (schema === 'ep00' || schema === 'ep01') {
      this.#change(source, topic, schema, { connection: (record as ConnectionRecord).status })
    } else if (schema === 'un00') this.#change(source, topic, schema, { unit: (record as UnitsRecord).units ?? '' })
  }

  /** Those that have changed since the last call. */
  changed(): PvRow[] {
    const rows = [...this.#changed].map(({ row, history }) => ({ ...row, history: history.slice(-TOLD) }))
    this.#changed.clear()
    return rows
  }

  #change(source: string, topic: string, schema: string, change: Partial<PvRow>): void {
    const known = this.#of(source, topic, schema)
    known.row = { ...known.row, ...change }
  }

  #of(name: string, topic: string, schema: string): Known {
    let known = this.#known.get(name)
    if (known === undefined) {
      const nothing = { value: null, unit: '', severity: null, alarm: '', connection: null, time_ms: 0 }
      known = { row: { name, topic, schema, ...nothing }, history: [] }
      this.#known.set(name, known)
      if (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value ?? '')
    }
    this.#changed.add(known)
    return known
  }
}
