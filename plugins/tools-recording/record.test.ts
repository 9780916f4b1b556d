import assert from 'node:assert/strict'
import { type LaneReport } from './lane.js'
import { notesOf, reportOf } from './record.js'

const lane: LaneReport = {
  topic: 't', partition: 1, from: 0, next: 9, messages: 5, expired: 0, empty: 0, gone: 0, badHeaders: 0, left: 0, skipped: {}
} // prettier-ignore

describe('report of a recording', () => {
  it('calls lost what was in the span and is not in the file, and says why', () => {
    assert.deepEqual(reportOf([lane, lane]), { messages: 10, lost: false, partitions: [lane, lane] })
    assert.deepEqual(notesOf([lane]), [])
    const losses: [Partial<LaneReport>, RegExp][] = [
      [{ expired: 3 }, /^t\[1\]: 3 messages were deleted by retention/],
      [{ gone: 2 }, /2 messages were lost with the topic/],
      [{ badHeaders: 1 }, /1 messages have headers that cannot be read/],
      [{ left: 7 }, /7 offsets before the end were not read: it was stopped/],
      [{ skipped: { crc: 1 } }, /damaged batches passed over: {"crc":1}/]
    ]
    for (const [loss, words] of losses) {
      assert.equal(reportOf([{ ...lane, ...loss }]).lost, true)
      assert.match(notesOf([{ ...lane, ...loss }])[0] ?? '', words)
    }
    const compacted = { ...lane, empty: 4 }
    assert.equal(reportOf([compacted]).lost, false)
    assert.match(notesOf([compacted])[0] ?? '', /4 offsets hold no message/)
  })
})
