import assert from 'node:assert/strict'
import { encodeMessage } from '../../../schemas/index.js'
import { contentOf } from './messages.js'

describe('the content of a message', () => {
  it('is a tree with short lists, and its first bytes', () => {
    const value = Buffer.from(
      encodeMessage('ev44', { source_name: 'bank', message_id: 1n, reference_time: [5n], reference_time_index: [0], time_of_flight: Array.from({ length: 9000 }, (_, i) => i), pixel_id: [] }) // prettier-ignore
    )
    const { tree, head, error } = contentOf(value)
    assert.equal(error, null)
    const { source_name: source, time_of_flight: times } = tree as { source_name: string; time_of_flight: unknown[] }
    assert.equal(source, 'bank')
    assert.equal(times.length, 201)
    assert.equal(times.at(-1), '… 8800 more')
    assert.deepEqual(Buffer.from(head, 'base64'), value.subarray(0, 4096))
  })

  it('keeps the digits of JSON, and cuts its lists', () => {
    const { tree } = contentOf(Buffer.from(`{"pulse": 12345678901234567890, "list": [${'1,'.repeat(300)}1]}`))
    const { pulse, list } = tree as { pulse: unknown; list: unknown[] }
    assert.equal(pulse, '12345678901234567890')
    assert.equal(list.length, 201)
  })

  it('is told to be none where the bytes are not sound, too deep or too many', () => {
    for (const value of ['{"a":', '[', '\0\0\0\0f144', 'x', `${'['.repeat(400)}${']'.repeat(400)}`, `{"a":"${'x'.repeat(300_000)}"}`]) {
      const { tree, error } = contentOf(Buffer.from(value))
      assert.equal(tree, null)
      assert.ok(error !== null && error.length < 300, value.slice(0, 20))
    } // prettier-ignore
    assert.match(contentOf(null).error ?? '', /tombstone/)
  })

  it('is none either where long texts would make it too large', () => {
    const text = 'x'.repeat(2_000_000)
    const { tree, error, head } = contentOf(Buffer.from(encodeMessage('al00', { source_name: 's', timestamp: 1n, severity: 0, message: text }))) // prettier-ignore
    assert.equal(tree, null)
    assert.match(error ?? '', /too large/)
    assert.ok(head.length < 6000)
  })
})
