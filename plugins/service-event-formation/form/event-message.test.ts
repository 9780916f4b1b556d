import assert from 'node:assert/strict'
import { decodeJson, encodeMessage } from '../../../schemas/index.js'
import { EventMessage } from './event-message.js'

const PULSE_NS = 1_700_000_000_071_428_571n

describe('a message of events', () => {
  it('has the bytes that its schema gives it, whatever was made before it', () => {
    for (const source of ['caen', 'arc=0;triplet=12', ''])
      for (const schema of ['ev44', 'ev42'] as const) {
        const made = new EventMessage(schema, source)
        for (const [n, length] of [3, 0, 12_400, 1, 700].entries()) {
          const bytesOf = (list: Int32Array<ArrayBuffer>): Uint8Array => new Uint8Array(list.buffer)
          const tof = Int32Array.from({ length }, (_, i) => i * 7)
          const pixel = Int32Array.from({ length }, (_, i) => length - i)
          const head = { source_name: source, message_id: n + 5 }
          const wanted =
            schema === 'ev44'
              ? encodeMessage('ev44', { ...head, reference_time: [PULSE_NS], reference_time_index: [0], time_of_flight: { dtype: 'int32', length, bytes: bytesOf(tof) }, pixel_id: { dtype: 'int32', length, bytes: bytesOf(pixel) } }) // prettier-ignore
              : encodeMessage('ev42', { ...head, pulse_time: PULSE_NS, time_of_flight: { dtype: 'uint32', length, bytes: bytesOf(tof) }, detector_id: { dtype: 'uint32', length, bytes: bytesOf(pixel) } }) // prettier-ignore
          const value = made.make(n + 5, PULSE_NS, tof, pixel)
          assert.ok(wanted.equals(value), `${schema} of ${source}, ${length} events`)
          assert.equal((decodeJson(value).message['time_of_flight'] as unknown[]).length, length)
        }
      }
  })
})
