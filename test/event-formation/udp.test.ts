// Messages that come as datagrams: as they are to Kafka, checked and counted; hostile ones end nothing.
import assert from 'node:assert/strict'
import { encodeMessage, type Vector } from '../../schemas/index.js'
import { random as randomOf } from '../support/random.js'
import { formationOf, type RecordedCase } from './cases.js'

const recorded = (config: Readonly<Record<string, unknown>>): RecordedCase => ({ family: 'udp', config, packets: [], messages: [], counters: {} }) // prettier-ignore
const vector = (values: readonly number[]): Vector => ({
  dtype: 'int32',
  length: values.length,
  bytes: new Uint8Array(Int32Array.from(values).buffer)
})
const ev44 = (source: string, number: number, tofs: readonly number[] = [1, 2, 3]): Buffer =>
  encodeMessage('ev44', {
    source_name: source,
    message_id: number,
    reference_time: [1_700_000_000_000_000_000n],
    reference_time_index: [0],
    time_of_flight: vector(tofs),
    pixel_id: vector(tofs)
  })
const log = encodeMessage('f144', { source_name: 'SE:T', value: { type: 'Int', value: { value: 7 } }, timestamp: 1n })

describe('messages by UDP', () => {
  it('go on as they are, with their source as key, and events are counted', async () => {
    const { formation, messages } = await formationOf(recorded({}), false)
    const sent = [ev44('a', 1), log, ev44('b', 9, [])]
    for (const one of sent) formation.packet(one)
    assert.deepEqual(messages.map(({ value }) => Buffer.from(value)), sent) // prettier-ignore
    assert.deepEqual(messages.map(({ source, events }) => `${source} ${events}`), ['a 3', 'SE:T 0', 'b 0']) // prettier-ignore
    const counters = formation.counters.values()
    assert.deepEqual([counters['messages.ev44'], counters['messages.f144']], [2, 1])
  })

  it('are counted when they are no messages, of other schemas or sources, missing or late', async () => {
    const { formation, messages } = await formationOf(recorded({ schemas: ['ev44'], sources: ['a', 'b'] }), false)
    const damaged = ev44('a', 1)
    damaged.writeUInt32LE(0x7fff_fff0, 0)
    const stranger = Buffer.from('....none....')
    for (const one of [damaged, stranger, Buffer.alloc(3), log, ev44('c', 1)]) formation.packet(one)
    assert.equal(messages.length, 0)
    for (const number of [5, 6, 9, 8, 10, 1, 2]) formation.packet(ev44('a', number))
    formation.packet(ev44('b', 700))
    assert.equal(messages.length, 8)
    const counters = Object.fromEntries(Object.entries(formation.counters.values()).filter(([name]) => !name.startsWith('receive.'))) // prettier-ignore
    assert.equal(formation.counters.get('receive.packets').value, 13)
    assert.deepEqual(counters, {
      'messages.error_other_schema': 1,
      'messages.error_other_source': 1,
      'messages.missing': 2,
      'messages.late': 1,
      'messages.error_invalid_flatbuffer': 1,
      'messages.error_unknown_schema': 1,
      'messages.error_too_small': 1,
      'messages.ev44': 8
    })
  })

  it('end nothing when they are damaged', async () => {
    const { formation, messages } = await formationOf(recorded({}), false)
    const random = randomOf(5)
    const good = ev44(
      'detector',
      1,
      Array.from({ length: 50 }, (_, i) => i)
    )
    for (let i = 0; i < 20_000; i++) {
      const copy = Buffer.from(good.subarray(0, 1 + random(good.length)))
      for (let n = random(6); n > 0; n--) copy[random(copy.length)] = random(256)
      formation.packet(copy)
      messages.length = 0
    }
    formation.packet(good)
    assert.deepEqual(Buffer.from(messages[0]!.value), good)
  })
})
