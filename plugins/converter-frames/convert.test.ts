import assert from 'node:assert/strict'
import { type PvStructure, type PvValue, type Update, type Vector } from '../../schemas/index.js'
import {
  doubles,
  field,
  openConverter,
  reason,
  records,
  table,
  tree,
  update,
  vector
} from '../../test/support/converters.js'

describe('converter-frames: what it makes of updates', () => {
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
    // What is given back twice belongs to the next message by then
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
})
