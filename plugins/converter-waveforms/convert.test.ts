import assert from 'node:assert/strict'
import { type Vector } from '../../schemas/index.js'
import { array, doubles, field, longs, reason, records, table } from '../../test/support/converters.js'

describe('converter-waveforms: what it makes of updates', () => {
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
})
