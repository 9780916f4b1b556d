import assert from 'node:assert/strict'
import { type Update, type Vector } from '../../schemas/index.js'
import { alarm, array, doubles, field, reason, records, table } from '../../test/support/converters.js'

describe('converter-logs: what it makes of updates', () => {
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
})
