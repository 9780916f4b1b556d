// Messages of events at random, for benches that count or write them.
import { encodeMessage } from '../../schemas/index.js'
import { random } from '../../test/support/random.js'

/** Messages that differ. */
const KINDS = 16
/** A pulse period of 14 Hz, in ns. */
export const TOP = 71_428_571
/** Pixels along each side of the detector. */
export const SIDE = 1024

export function eventMessages(events: number): Buffer[] {
  const below = random(1)
  return Array.from({ length: KINDS }, () => {
    const time_of_flight = Int32Array.from({ length: events }, () => below(TOP)) as unknown as Uint8Array
    const pixel_id = Int32Array.from({ length: events }, () => 1 + below(SIDE * SIDE)) as unknown as Uint8Array
    const head = { source_name: 'bench', message_id: 1n, reference_time: [1_700_000_000_000_000_000n] }
    return encodeMessage('ev44', { ...head, reference_time_index: [0], time_of_flight, pixel_id })
  })
}
