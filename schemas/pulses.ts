// Events pulse by pulse.
import { type EventRecord, type Vector } from './records.js'
import { widthOf } from './numbers.js'
import { i32 } from './reader.js'

/** One record for each pulse of a message; vectors are parts of its own. */
export function splitPulses(record: EventRecord): EventRecord[] {
  const { referenceTime: times, referenceTimeIndex: index, timeOfFlight, pixelId } = record
  if (index === null || times.length === 1) return [record]
  const events = timeOfFlight.length
  const begin = (pulse: number): number =>
    pulse >= times.length ? events : Math.min(Math.max(i32(index.bytes, 4 * pulse), 0), events)
  return Array.from({ length: times.length }, (_, pulse) => {
    const from = begin(pulse)
    const to = Math.max(from, begin(pulse + 1))
    return {
      ...record,
      referenceTime: part(times, pulse, pulse + 1),
      referenceTimeIndex: null,
      timeOfFlight: part(timeOfFlight, from, to),
      pixelId: pixelId.length === 0 ? pixelId : part(pixelId, from, to)
    }
  })
}

function part(vector: Vector, from: number, to: number): Vector {
  const width = widthOf(vector.dtype)
  return { dtype: vector.dtype, length: to - from, bytes: vector.bytes.subarray(from * width, to * width) }
}
