import assert from 'node:assert/strict'
import {
  alarm,
  array,
  doubles,
  field,
  longs,
  openConverter,
  records,
  table,
  update
} from '../../test/support/converters.js'

describe('converter-json: what it makes of updates', () => {
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
    assert.deepEqual(field(sent(array(doubles(-0, 0))), 'value'), [-0, 0])
    const [structure] = sent(table({ a: doubles(1), b: ['x'] }))
    assert.deepEqual(structure?.['value'], { value: { a: [1], b: ['x'] } })
  })

  // Row C3
  it('json keeps −0.0, alone, in an array and in a table, down to the digits of the message', async () => {
    const converter = await openConverter('json')
    const text = (change: Parameters<typeof update>[0]): string => converter.convert!(update(change)).map(({ value }) => String(value)).join() // prettier-ignore
    assert.match(text({ value: -0 }), /"value":-0\.0[,}]/)
    assert.match(text({ value: 0 }), /"value":0[,}]/)
    assert.match(text(array(doubles(-0, 0, 1.5))), /"value":\[-0\.0,0,1\.5\]/)
    assert.match(text(table({ a: doubles(-0, 1), b: ['x', 'y'] })), /"a":\[-0\.0,1\]/)
  })
})
