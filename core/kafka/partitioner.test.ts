import assert from 'node:assert/strict'
import { murmur2 } from './partitioner.js'

describe('the partitioner', () => {
  it('hashes as the Java client does', () => {
    // From org.apache.kafka.common.utils.UtilsTest.
    const known: [string, number][] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
      ['abc', 479470107]
    ]
    for (const [text, hash] of known) assert.equal(murmur2(Buffer.from(text)), hash, text)
  })
})
