// Events pulse by pulse.
import { type EventRecord, type Vector } from './records.js'
import { widthOf } from './numbers.js'
import { i32 } from './reader.js'

/** One record for each pulse of a message; vectors are parts of its own. */
export function splitPulses(record: EventRecord): EventRecord[] {
  const { referenceTime: times, referenceTimeIndex: index, timeOfFlight, pixelId } = record
  if (index === null || (times.length === 1 && i32(index.bytes, 0) === 0)) return [record]
  // From behind: an index below 0 means no events, as the next pulse then starts where this one would
  const begins = new Array<number>(times.length + 1).fill(timeOfFlight.length)
  for (let pulse = times.length - 1; pulse >= 0; pulse--) {
    const first = i32(index.bytes, 4 * pulse)
    begins[pulse] = first < 0 ? begins[pulse + 1]! : Math.min(first, begins[pulse + 1]!)
  }
  return Array.from({ length: times.length }, (_, pulse) => {
    const [from, to] = [begins[pulse]!, begins[pulse + 1]!]
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
