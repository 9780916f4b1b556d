// Where f142 and f144 have what: slots, templates to fill, numbers of types and of EPICS alarms.
import { type VectorType, idCode, put16, put32 } from '../../schemas/index.js'

// Union member ids, the same in f142 and f144: 1–10 scalars, 11–20 vectors of them, in f142 also 21 text and 22 texts.
// prettier-ignore
export const types: readonly VectorType[] = [
  'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float32', 'float64'
]

export const typeId = new Map<string, number>(types.map((dtype, i) => [dtype, i + 1]))
/** Wire severity of f142 ↔ EPICS severity; 4 (NO_CHANGE) has none. */
export const toEpics = [1, 2, 0, 3]
export const fromEpics = [2, 0, 1, 3]
export const noChange = { status: 22, severity: 4 }

/** Where a schema has its fields, and the fixed part of a message that `encode` fills in. */
export interface LogForm {
  readonly id: 'f142' | 'f144'
  readonly code: number
  readonly slots: { source: number; time: number; type: number; value: number }
  /** Positions in an encoded message: fields of the root table, the value itself, the source name. */
  readonly at: { time: number; source: number; status: number; type: number; value: number; name: number }
  /** Messages without alarm, and with it (f142). */
  readonly plain: Uint8Array
  readonly alarmed: Uint8Array
}

/** The message up to the source name: root offset, id, vtable, table, `pointer` to the value, vtable and table of the value. */
function template(id: string, table: number, vtable: readonly number[], pointer: number, value: number): Uint8Array {
  const out = new Uint8Array(value + 12)
  const size = 4 + 2 * (vtable.length - 1)
  put32(out, 0, table)
  put32(out, 4, idCode(id))
  put16(out, table - size, size)
  vtable.forEach((offset, i) => put16(out, table - size + 2 + 2 * i, offset))
  put32(out, table, size)
  const start = value - 6
  put16(out, start, 6)
  put16(out, start + 2, 12)
  put16(out, start + 4, 4)
  put32(out, value, 6)
  put32(out, pointer, value - pointer)
  return out
}

export const f142: LogForm = {
  id: 'f142',
  code: idCode('f142'),
  slots: { source: 0, type: 1, value: 2, time: 3 },
  at: { time: 32, source: 40, status: 48, type: 52, value: 64, name: 72 },
  plain: template('f142', 28, [25, 12, 24, 16, 4, 0, 0], 44, 60),
  alarmed: template('f142', 28, [25, 12, 24, 16, 4, 20, 22], 44, 60)
}

export const f144: LogForm = {
  id: 'f144',
  code: idCode('f144'),
  slots: { source: 0, time: 1, type: 2, value: 3 },
  at: { time: 24, source: 32, status: 0, type: 40, value: 56, name: 64 },
  plain: template('f144', 20, [21, 12, 4, 20, 16], 36, 52),
  alarmed: new Uint8Array(0)
}
