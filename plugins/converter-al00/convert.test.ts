import assert from 'node:assert/strict'
import { alarm, field, records, state } from '../../test/support/converters.js'

describe('converter-al00: what it makes of updates', () => {
  it('al00 is sent when severity or text changes, with the words of EPICS or of the server', async () => {
    const sent = await records('al00')
    const texts =
      [alarm(0, 0), alarm(0, 0), alarm(2, 3, 'too hot'), alarm(2, 3), alarm(1, 3), alarm(1, 3), { ...alarm(1, 3), first: true }, alarm(3, 10)] // prettier-ignore
        .map((change) => sent(change).map(({ severity, message }) => `${String(severity)} ${String(message)}`)[0])
    assert.deepEqual(texts, [
      '0 NO_ALARM',
      undefined,
      '2 too hot',
      '2 HIHI',
      '1 HIHI',
      undefined,
      '1 HIHI',
      '3 TIMEOUT'
    ])
    const names = await records('al00', { text: 'status' })
    assert.equal(field(names(alarm(2, 3, 'too hot')), 'message'), 'HIHI')
    assert.deepEqual(names(alarm(2, 3, 'far too hot')), [])
    assert.deepEqual(sent(state(3)), [])
  })
})
