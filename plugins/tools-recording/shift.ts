// Moves the times inside messages by one constant, in place: they are of fixed width, so nothing else of a message changes.
import { BadMessage } from '../../core/api/plugin.js'
import { layouts } from '../../schemas/generated/layouts.js'
import { f64, fieldAt, idCode, putF64, put64, rootAt, schemaId, u32, u64, vectorAt } from '../../schemas/index.js'

/** Schema id → its fields that are times since 1970, in ns unless they are of commands (ms) or floating point (s). */
export const shiftedFields: Readonly<Record<string, readonly string[]>> = {
  '6s4t': ['stop_time'],
  ADAr: ['timestamp'],
  ad00: ['timestamp'],
  al00: ['timestamp'],
  amo0: ['pulse_time'],
  an44: ['reference_time'],
  answ: ['stop_time'],
  da00: ['timestamp'],
  ep00: ['timestamp'],
  ep01: ['timestamp'],
  ev42: ['pulse_time'],
  ev43: ['pulse_time'],
  ev44: ['reference_time'],
  f142: ['timestamp'],
  f143: ['timestamp'],
  f144: ['timestamp'],
  hs00: ['timestamp', 'last_metadata_timestamp'],
  hs01: ['timestamp', 'last_metadata_timestamp'],
  ns10: ['time'],
  ns11: ['time'],
  pl72: ['start_time', 'stop_time'],
  pu00: ['reference_time'],
  se00: ['packet_timestamp', 'timestamps'],
  senv: ['PacketTimestamp', 'Timestamps'],
  tdct: ['timestamps'],
  un00: ['timestamp']
}

const inMs = new Set(['6s4t', 'answ', 'pl72'])

interface TimeField {
  readonly slot: number
  readonly isVector: boolean
  readonly isFloat: boolean
}

const fields = new Map<string, readonly TimeField[]>()

function fieldsOf(id: string): readonly TimeField[] {
  let found = fields.get(id)
  if (found !== undefined) return found
  const { root, tables } = layouts[id]!
  const all = root === null ? [] : (tables[root] ?? [])
  found = (shiftedFields[id] ?? []).map((name) => {
    const field = all.find((one) => one.name === name)!
    const type = field.kind === 'vector' ? field.of : field
    return {
      slot: field.slot,
      isVector: field.kind === 'vector',
      isFloat: type.kind === 'scalar' && type.type === 'float64'
    }
  })
  fields.set(id, found)
  return found
}

/** As everywhere: 0, negative ones and those above 2^63 - 1 are none. */
const isTime = (value: bigint): boolean => value > 0n && value < 2n ** 63n

/** False where no times are known in it, or it is no sound message: it is then as it was. What is no time stays. */
export function shiftTimes(message: Buffer, deltaMs: number): boolean {
  const id = schemaId(message)
  if (id === undefined || !Object.hasOwn(shiftedFields, id)) return false
  const delta = BigInt(deltaMs) * (inMs.has(id) ? 1n : 1_000_000n)
  const move = (at: number, isFloat: boolean): void => {
    if (isFloat) {
      const value = f64(message, at)
      if (value > 0) putF64(message, at, value + deltaMs / 1000)
    } else {
      const value = u64(message, at)
      if (isTime(value) && isTime(value + delta)) put64(message, at, value + delta)
    }
  }
  try {
    const table = rootAt(message, idCode(id))
    const places = fieldsOf(id).flatMap(({ slot, isVector, isFloat }) => {
      const field = fieldAt(message, table, slot, isVector ? 4 : 8)
      if (field === 0) return []
      if (!isVector) return [{ at: field, count: 1, isFloat }]
      const vector = vectorAt(message, field, 8)
      return [{ at: vector + 4, count: u32(message, vector), isFloat }]
    })
    // All of them are sound before the first is changed
    for (const { at, count, isFloat } of places) for (let i = 0; i < count; i++) move(at + 8 * i, isFloat)
    return true
  } catch (error) {
    if (error instanceof BadMessage) return false
    throw error
  }
}
