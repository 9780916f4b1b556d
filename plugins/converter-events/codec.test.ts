import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  type EventRecord,
  type Update,
  type Vector,
  type VectorType,
  decodeJson,
  element,
  splitPulses
} from '../../schemas/index.js'
import { eventCodec } from './codec.js'

const golden = fileURLToPath(new URL('../../../test/samples/golden/', import.meta.url))
const values = (v: Vector | null) => (v === null ? null : Array.from({ length: v.length }, (_, i) => element(v, i)))
const vector = (dtype: VectorType, array: ArrayBufferView & { length: number }): Vector => ({
  dtype,
  length: array.length,
  bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
})
const two: EventRecord = {
  source: 'amor',
  messageId: 7n,
  referenceTime: vector('int64', BigInt64Array.of(1_700_000_000_000_000_000n, 1_700_000_000_071_428_571n)),
  referenceTimeIndex: vector('int32', Int32Array.of(0, 2)),
  timeOfFlight: vector('int32', Int32Array.of(10, 20, 30)),
  pixelId: vector('int32', Int32Array.of(1, 2, 3))
}

describe('event messages', () => {
  for (const id of ['ev42', 'ev43', 'ev44', 'an44'] as const) {
    const codec = eventCodec(id)
    for (const name of readdirSync(golden).filter((name) => name.startsWith(id) && name.endsWith('.bin'))) {
      it(`${name}: record and message say the same`, () => {
        const bytes = readFileSync(golden + name)
        const { message } = decodeJson(bytes)
        const time = [message['pulse_time'] ?? message['reference_time']].flat()[0] as string | undefined
        if (time === undefined || BigInt.asIntN(64, BigInt(time)) <= 0n) {
          assert.throws(() => codec.decode(bytes), { reason: 'bad_timestamp' })
          return
        }
        const record = codec.decode(bytes)
        const peek = { sourceStart: 0, sourceEnd: 0, timestampNs: 0n }
        codec.peek(bytes, peek)
        assert.equal(bytes.toString('utf8', peek.sourceStart, peek.sourceEnd), record.source)
        assert.equal(peek.timestampNs, BigInt(time))
        const tof = (message['time_of_flight'] ?? []) as number[]
        const pixel = (message['detector_id'] ?? message['pixel_id'] ?? []) as number[]
        assert.deepEqual(values(record.timeOfFlight), tof)
        assert.deepEqual(values(record.pixelId), pixel)
        const again = codec.decode(codec.encode(record))
        assert.deepEqual(again, record)
      })
    }
  }

  it('keeps views of the message, not copies', () => {
    const bytes = eventCodec('ev44').encode(two)
    const record = eventCodec('ev44').decode(bytes)
    for (const v of [record.timeOfFlight, record.pixelId, record.referenceTime])
      assert.equal(v.bytes.buffer, bytes.buffer)
  })

  it('sends several pulses as one ev43 or ev44 and as one ev42 each', () => {
    const update = { kind: 'value', source: 'bank', events: two, timestampNs: 1_700_000_000_000_000_000n } as Update
    const [ev44] = eventCodec('ev44').convert(update)
    const record = eventCodec('ev44').decode(Buffer.from(ev44!.value))
    assert.equal(record.source, 'bank')
    assert.equal(record.messageId, 7n)
    assert.deepEqual(values(record.referenceTimeIndex), [0, 2])
    assert.deepEqual(values(record.timeOfFlight), [10, 20, 30])
    assert.equal(ev44!.timestampMs, 1_700_000_000_000)
    assert.deepEqual(values(eventCodec('ev43').decode(Buffer.from(eventCodec('ev43').convert(update)[0]!.value)).pixelId), [1, 2, 3]) // prettier-ignore
    const ev42 = eventCodec('ev42')
    const pulses = ev42.convert(update).map(({ value }) => ev42.decode(Buffer.from(value)))
    assert.deepEqual(
      pulses.map((pulse) => values(pulse.timeOfFlight)),
      [[10, 20], [30]]
    )
    assert.deepEqual(
      pulses.map((pulse) => values(pulse.referenceTime)),
      [[1_700_000_000_000_000_000n], [1_700_000_000_071_428_571n]]
    )
  })

  it('splits pulses without events, wherever they are', () => {
    const split = (index: number[]): number[] => {
      const times = vector(
        'int64',
        BigInt64Array.from(index, (_, i) => 1_700_000_000_000_000_000n + BigInt(i))
      )
      const record = { ...two, referenceTime: times, referenceTimeIndex: vector('int32', Int32Array.from(index)) }
      return splitPulses(record).map(({ timeOfFlight, pixelId }) => timeOfFlight.length + 10 * pixelId.length)
    }
    for (const [index, counts] of [[[0, -1], [3, 0]], [[-1, 0, 2, -1], [0, 2, 1, 0]], [[0, -1, -1, 1], [1, 0, 0, 2]], [[-1, -1], [0, 0]], [[0, 3], [3, 0]], [[0, 9], [3, 0]]] as const) // prettier-ignore
      assert.deepEqual(split([...index]), counts.map((n) => 11 * n), index.join()) // prettier-ignore
  })

  it('refuses lengths that do not fit and numbers that the schema cannot carry', () => {
    const bad = { ...two, pixelId: vector('int32', Int32Array.of(1)) }
    const codec = eventCodec('ev44')
    assert.throws(() => codec.decode(codec.encode(bad)), { reason: 'length_mismatch' })
    const index = { ...two, referenceTimeIndex: vector('int32', Int32Array.of(0)) }
    assert.throws(() => codec.decode(codec.encode(index)), { reason: 'length_mismatch' })
    const negative = { ...two, timeOfFlight: vector('int32', Int32Array.of(-1, 0, 0)) }
    assert.throws(() => eventCodec('ev43').encode(negative), { reason: 'unencodable' })
    assert.throws(() => eventCodec('ev42').encode(two), { reason: 'unencodable' })
  })
})
