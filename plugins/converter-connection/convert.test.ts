import assert from 'node:assert/strict'
import { field, records, state } from '../../test/support/converters.js'

describe('converter-connection: what it makes of updates', () => {
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
})
