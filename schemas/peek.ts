// Source name and time of a message for routing, without decoding it.
import { BadMessage } from '../core/api/errors.js'
import { type Peek } from './converter.js'
import { fieldAt, missing, rootAt, timeAt, u32, vectorAt } from './reader.js'

/** Slots of the root table. */
export interface PeekSlots {
  readonly source: number
  readonly time: number
  /** Messages may have no source name: it is then the empty range. */
  readonly nameless?: boolean
}

function source(message: Uint8Array, table: number, slots: PeekSlots, out: Peek): void {
  const field = fieldAt(message, table, slots.source, 4)
  if (field === 0) {
    if (slots.nameless !== true) missing('source name')
    out.sourceStart = out.sourceEnd = 0
    return
  }
  const name = vectorAt(message, field, 1)
  out.sourceStart = name + 4
  out.sourceEnd = name + 4 + u32(message, name)
}

/** The time is one 64-bit field. */
export function peekField(message: Uint8Array, code: number, slots: PeekSlots, out: Peek): void {
  const table = rootAt(message, code)
  source(message, table, slots, out)
  const at = fieldAt(message, table, slots.time, 8)
  if (at === 0) throw new BadMessage('bad_timestamp', 'the message has no time')
  out.timestampNs = timeAt(message, at)
}

/** The time is the first element of a vector. */
export function peekFirst(message: Uint8Array, code: number, slots: PeekSlots, out: Peek): void {
  const table = rootAt(message, code)
  source(message, table, slots, out)
  const field = fieldAt(message, table, slots.time, 4)
  const vector = field === 0 ? 0 : vectorAt(message, field, 8)
  if (vector === 0 || u32(message, vector) === 0) throw new BadMessage('bad_timestamp', 'the message has no time')
  out.timestampNs = timeAt(message, vector + 4)
}

/** Time of messages that have none: older than any run, so that the newest of them is the last value before it. */
export const TIMELESS_NS = 1n
