import assert from 'node:assert/strict'
import { type Update } from '../../schemas/index.js'
import { array, doubles, field, reason, records, table } from '../../test/support/converters.js'

describe('converter-ns10: what it makes of updates', () => {
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
})
