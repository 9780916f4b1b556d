// What each converter makes of updates: options, state per source, what it leaves out and what it refuses.
import assert from 'node:assert/strict'
import { type PvStructure, type PvValue, type Update, type Vector, type VectorType } from '../../core/api/plugin.js'
import { openConverter, update } from '../support/converters.js'

const vector = (dtype: VectorType, bytes: ArrayBufferLike, length: number): Vector => ({ dtype, length, bytes: new Uint8Array(bytes) }) // prettier-ignore
const doubles = (...list: number[]): Vector => vector('float64', Float64Array.from(list).buffer, list.length)
const longs = (...list: bigint[]): Vector => vector('int64', BigInt64Array.from(list).buffer, list.length)
const array = (value: Vector): Partial<Update> => ({ value, dtype: value.dtype })
const tree = (typeId: string, fields: Record<string, PvValue>): PvStructure => ({
  typeId,
  fields: new Map(Object.entries(fields))
})
const table = (columns: Record<string, PvValue>): Partial<Update> => ({
  dtype: 'structure',
  value: tree('epics:nt/NTTable:1.0', { value: tree('', columns) })
})
const alarm = (severity: number, status: number, message = ''): Partial<Update> => ({
  alarm: { severity, status, message }
})
const state = (connection: number, more: Partial<Update> = {}): Partial<Update> => ({ kind: 'connection', value: null, connection, ...more }) // prettier-ignore

/** Opens a converter; each call gives the records of the messages for one update. */
async function records(id: string, config: Record<string, unknown> = {}) {
  const converter = await openConverter(id, config)
  return (change: Partial<Update>): Record<string, unknown>[] =>
    converter.convert!(update(change)).map(({ value }) => converter.decode!(Buffer.from(value)) as Record<string, unknown>) // prettier-ignore
}
/** One field of the first message. */
const field = (list: readonly Record<string, unknown>[], name: string): unknown => list[0]?.[name]
const reason = (why: string) => ({ reason: why })

describe('converters of updates', () => {
  it('f142 and f144 leave out or send empty arrays, as asked', async () => {
    for (const id of ['f142', 'f144']) {
      assert.equal((field((await records(id))(array(doubles())), 'value') as Vector).length, 0)
      const skipping = await records(id, { empty_array: 'skip' })
      assert.deepEqual(skipping(array(doubles())), [])
      assert.equal((field(skipping(array(doubles(1))), 'value') as Vector).length, 1)
    }
  })

  it('f142 tells the alarm always, or per source when it changed, after a connect and in repeats', async () => {
    const always = await records('f142')
    assert.deepEqual(field(always(alarm(2, 3)), 'alarm'), { severity: 2, status: 3 })
    assert.deepEqual(field(always(alarm(2, 3)), 'alarm'), { severity: 2, status: 3 })
    const onChange = await records('f142', { alarm: 'on_change' })
    const has = (change: Partial<Update>): boolean => field(onChange(change), 'alarm') !== undefined
    assert.deepEqual(
      [
        has(alarm(0, 0)),
        has(alarm(0, 0)),
        has({ ...alarm(0, 0), source: 'OTHER' }),
        has(alarm(1, 4)),
        has(alarm(1, 6)),
        has(alarm(1, 6)),
        has({ ...alarm(1, 6), first: true }),
        has({ ...alarm(1, 6), repeat: true })
      ],
      [true, false, true, true, true, false, true, true]
    )
  })

  it('f142 sends enums as index or text, f144 as index and no text at all', async () => {
    const choice: Partial<Update> = { dtype: 'enum', value: 1, enumStrings: ['off', 'on'] }
    assert.equal(field((await records('f142'))(choice), 'value'), 1)
    const texts = await records('f142', { enum: 'text' })
    assert.equal(field(texts(choice), 'value'), 'on')
    assert.equal(field(texts({ ...choice, value: 7 }), 'value'), '7')
    const plain = await records('f144')
    assert.equal(field(plain(choice), 'value'), 1)
    assert.throws(() => plain({ dtype: 'string', value: 'text' }), reason('unencodable'))
    assert.throws(() => plain(table({})), reason('unsupported_type'))
  })

  it('al00 is sent when severity or text changes, with the words of EPICS or of the server', async () => {
    const sent = await records('al00')
    const texts =
      [alarm(0, 0), alarm(0, 0), alarm(2, 3, 'too hot'), alarm(2, 3), alarm(1, 3), alarm(1, 3), { ...alarm(1, 3), first: true }, alarm(3, 10)] // prettier-ignore
        .map((change) => sent(change).map(({ severity, message }) => `${String(severity)} ${String(message)}`)[0])
    assert.deepEqual(texts, ['0 NO_ALARM', undefined, '2 HIHI', undefined, '1 HIHI', undefined, '1 HIHI', '3 TIMEOUT'])
    const server = await records('al00', { text: 'server' })
    assert.equal(field(server(alarm(2, 3, 'too hot')), 'message'), 'too hot')
    assert.equal(field(server(alarm(2, 3, 'far too hot')), 'message'), 'far too hot')
    assert.deepEqual(sent(state(3)), [])
  })

  it('ep00 and ep01 tell connection states once per source; ep00 knows only the first five', async () => {
    for (const id of ['ep00', 'ep01']) {
      const sent = await records(id, { service_id: 'here' })
      const seen =
        [state(1), state(2), {}, state(3), state(3), state(3, { repeat: true }), state(7), state(2, { source: 'B' })] // prettier-ignore
          .map((change) => field(sent(change), 'status'))
      assert.deepEqual(seen, [1, 2, undefined, 3, undefined, 3, id === 'ep00' ? 3 : 7, 2])
      assert.equal(field(sent(state(4)), 'service'), 'here')
    }
  })

  it('se00 and senv take waveforms and tables, and count per source', async () => {
    for (const id of ['se00', 'senv']) {
      const sent = await records(id, { channel: -1, time_delta_ns: 500, location: 'middle' })
      const first = sent(array(longs(5n, 6n)))[0]
      assert.deepEqual([first?.['channel'], first?.['timeDelta'], first?.['timestampLocation'], first?.['timestamps']], [-1, 500, 2, null]) // prettier-ignore
      assert.equal(first?.['timestampNs'], 1_700_000_000_123_456_789n)
      const from = sent(table({ value: doubles(1.4, -2.6), timestamp: longs(100n, 150n) }))[0]
      assert.deepEqual([from?.['timestampNs'], from?.['timeDelta'], from?.['messageCounter']], [100n, 50, 1n])
      assert.deepEqual((from?.['values'] as Vector).dtype, id === 'senv' ? 'int64' : 'float64')
      assert.equal(field(sent({ ...array(doubles(1)), source: 'B' }), 'messageCounter'), 0n)
      assert.deepEqual(sent(array(doubles())), [])
      assert.deepEqual(sent(table({ value: doubles(), timestamp: longs() })), [])
      assert.throws(() => sent({ value: 1 }), reason('unsupported_type'))
      assert.throws(() => sent(table({ value: doubles(1) })), reason('unsupported_type'))
      assert.throws(() => sent(table({ value: doubles(1), timestamp: longs(1n, 2n) })), reason('length_mismatch'))
    }
    const senv = await records('senv')
    for (const value of [NaN, 1e300]) assert.throws(() => senv(array(doubles(value))), reason('out_of_range'))
  })

  it('tdct takes offsets, times, or pairs of seconds and ns', async () => {
    const times = (list: readonly Record<string, unknown>[]): bigint[] => {
      const { bytes } = field(list, 'timestamps') as Vector
      return [...new BigUint64Array(Uint8Array.from(bytes).buffer)]
    }
    const offsets = await records('tdct')
    assert.deepEqual(times(offsets(array(doubles(-10, 0.6)))), [1_700_000_000_123_456_779n, 1_700_000_000_123_456_790n])
    assert.deepEqual(times(offsets({ value: 5, dtype: 'int32' })), [1_700_000_000_123_456_794n])
    assert.equal(field(offsets(array(doubles(1))), 'sequence'), 2n)
    assert.equal(field(offsets({ ...array(doubles(1)), source: 'B' }), 'sequence'), 0n)
    assert.deepEqual(offsets(array(doubles())), [])
    const absolute = await records('tdct', { values: 'absolute_ns' })
    assert.deepEqual(times(absolute(array(longs(7n, 8n)))), [7n, 8n])
    const pairs = await records('tdct', { values: 'seconds_and_ns' })
    assert.deepEqual(times(pairs(array(longs(2n, 5n)))), [2_000_000_005n])
    assert.throws(() => pairs(array(longs(2n))), reason('length_mismatch'))
    for (const value of [0n, -1n]) assert.throws(() => absolute(array(longs(value))), reason('out_of_range'))
    assert.throws(() => offsets(array(longs(2n ** 63n - 1n))), reason('out_of_range'))
    assert.throws(() => offsets(array(doubles(NaN))), reason('out_of_range'))
    assert.throws(() => offsets({ dtype: 'enum', value: 1 }), reason('unsupported_type'))
    assert.throws(() => offsets({ dtype: 'string', value: 'a' }), reason('unsupported_type'))
  })

  it('NDAr, ADAr and ad00 make their messages in the same memory, for any number of streams', async () => {
    const image = (n: number): Update => {
      const pixels = vector('uint8', new Uint8Array(1_000_000).fill(n).buffer, 1_000_000)
      return update({ dtype: 'structure', value: tree('epics:nt/NTNDArray:1.0', { value: pixels }) })
    }
    const open = (id: string) => Promise.all(Array.from({ length: 10 }, () => openConverter(id)))
    const converters = (await Promise.all(['NDAr', 'ADAr', 'ad00'].map(open))).flat()
    const memory = new Set<ArrayBufferLike>()
    for (const [n, converter] of converters.entries()) {
      const [message] = converter.convert!(image(n))
      const { data } = converter.decode!(Buffer.from(message!.value)) as { data: Vector }
      assert.ok(data.bytes.every((pixel) => pixel === n))
      memory.add(message!.value.buffer)
      message!.giveBack!()
    }
    assert.equal(memory.size, 1)
    // what is given back twice belongs to the next message by then
    const [[one], [two]] = [converters[0]!.convert!(image(1)), converters[1]!.convert!(image(2))]
    one!.giveBack!()
    const [three] = converters[2]!.convert!(image(3))
    one!.giveBack!()
    const [four] = converters[3]!.convert!(image(4))
    assert.equal(new Set([two, three, four].map((message) => message!.value.buffer)).size, 3)
  })

  it('NDAr, ADAr and ad00 take frames with attributes, and refuse what is none or compressed', async () => {
    const size = (n: number): PvStructure => tree('dimension_t', { size: n })
    const frame = (change: Record<string, PvValue> = {}): Partial<Update> => ({
      dtype: 'structure',
      value: tree('epics:nt/NTNDArray:1.0', {
        value: doubles(1, 2, 3, 4, 5, 6),
        codec: tree('codec_t', { name: '' }),
        uniqueId: 9,
        dimension: [size(3), size(2)],
        dataTimeStamp: tree('time_t', { secondsPastEpoch: 1_700_000_001n, nanoseconds: 5 }),
        attribute: [tree('', { name: 'gain', descriptor: 'of it', source: 'drv', value: 2.5 })],
        ...change
      })
    })
    for (const id of ['NDAr', 'ADAr', 'ad00']) {
      const sent = await records(id)
      const [record] = sent(frame())
      assert.deepEqual([record?.['shape'], record?.['uniqueId'], record?.['timestampNs']], [[2, 3], 9, 1_700_000_001_000_000_005n]) // prettier-ignore
      assert.deepEqual(record?.['attributes'], [{ name: 'gain', description: 'of it', source: 'drv', value: 2.5 }])
      assert.equal(record?.['source'], id === 'NDAr' ? 'ADPluginKafka' : 'SIM:PV')
      // Without a time of its own a frame has the time of the update.
      assert.equal(field(sent(frame({ dataTimeStamp: null })), 'timestampNs'), 1_700_000_000_123_456_789n)
      assert.throws(() => sent(frame({ codec: tree('codec_t', { name: 'jpeg' }) })), reason('unsupported_type'))
      assert.throws(() => sent(frame({ dimension: [size(3), size(3)] })), reason('length_mismatch'))
      assert.throws(() => sent({ value: 1 }), reason('unsupported_type'))
      assert.throws(() => sent(table({})), reason('unsupported_type'))
    }
  })

  it('ns10 writes Python literals under a prefix', async () => {
    const sent = await records('ns10', { prefix: 'nicos/', ttl: 2.5 })
    const literal = (change: Partial<Update>): unknown => field(sent(change), 'value')
    assert.deepEqual(
      [
        literal({ value: 2 }),
        literal({ value: -0 }),
        literal({ value: 1e21 }),
        literal({ value: NaN }),
        literal({ value: 3, dtype: 'int32' }),
        literal({ value: 2n ** 60n, dtype: 'int64' }),
        literal({ value: true, dtype: 'bool' }),
        literal({ value: 'it\'s "µ"\n', dtype: 'string' }),
        literal({ value: ['a', 'b'], dtype: 'string' }),
        literal({ value: 1, dtype: 'enum', enumStrings: ['off', 'on'] }),
        literal(array(doubles(1, 0.5)))
      ],
      ['2.0', '-0.0', '1e+21', 'nan', '3', '1152921504606846976', 'True', '"it\'s \\"µ\\"\\n"', '["a", "b"]', '"on"', '[1.0, 0.5]'] // prettier-ignore
    )
    const [record] = sent({})
    assert.deepEqual([record?.['source'], record?.['ttl'], record?.['expired']], ['nicos/SIM:PV', 2.5, false])
    assert.throws(() => sent(table({})), reason('unsupported_type'))
  })

  it('json carries everything, with unit, precision, alarm and text of enums', async () => {
    const sent = await records('json')
    assert.deepEqual(sent(alarm(1, 4, 'HIGH'))[0], {
      source: 'SIM:PV',
      timestamp_ns: '1700000000123456789',
      dtype: 'float64',
      value: 1.5,
      units: 'mm',
      precision: 3,
      alarm: { severity: 1, status: 4, message: 'HIGH' }
    })
    const [choice] = sent({ dtype: 'enum', value: 1, enumStrings: ['off', 'on'], precision: null })
    assert.deepEqual([choice?.['value'], choice?.['text'], 'precision' in (choice ?? {})], [1, 'on', false])
    assert.deepEqual(field(sent(array(longs(2n ** 60n))), 'value'), ['1152921504606846976'])
    assert.deepEqual(field(sent(array(doubles(NaN, 1))), 'value'), ['NaN', 1])
    const [structure] = sent(table({ a: doubles(1), b: ['x'] }))
    assert.deepEqual(structure?.['value'], { value: { a: [1], b: ['x'] } })
  })

  it('say nothing of connections, and give Kafka the time of the value but repeats the time of sending', async () => {
    for (const id of ['f142', 'f144', 'ns10', 'json', 'se00', 'senv', 'tdct']) {
      const converter = await openConverter(id)
      assert.deepEqual(converter.convert!(update(state(2))), [], id)
      const value = array(doubles(1))
      assert.equal(converter.convert!(update(value))[0]?.timestampMs, 1_700_000_000_123, id)
      assert.equal(converter.convert!(update({ ...value, repeat: true }))[0]?.timestampMs, undefined, id)
    }
  })
})
