import assert from 'node:assert/strict'
import { type LogLine } from '../../core/api/plugin.js'
import { datagrams, gelf } from './frame.js'

const origin = { host: 'h1', facility: 'ESS', processName: undefined, pid: 42 }
const line: LogLine = {
  level: 'warn',
  message: 'job a: a.nxs: lost',
  timeMs: 1_700_000_000_123,
  service_id: 'w1',
  fields: { part: 'service filewriter', job_id: 'a', code: 'KAFKA_LOST', behind: 7, id: 'x', 'odd key': [1n] }
}

describe('log-gelf', () => {
  it('says what Graylog of the field is asked for, byte for byte', () => {
    assert.equal(
      gelf(line, origin).toString(),
      '{"version":"1.1","host":"h1","short_message":"job a: a.nxs: lost","timestamp":1700000000.123,"level":4,' +
        '"_job_id":"a","_code":"KAFKA_LOST","_behind":7,"_id_":"x","_odd_key":"[\\"1\\"]","_process":"nexstream",' +
        '"_process_id":42,"_process_name":"filewriter","_thread_id":0,"_facility":"ESS","_service_id":"w1","_part":"service filewriter"}'
    )
    const trace = { ...line, level: 'error' as const, message: '', fields: { stack: 'Error: x\n    at y' } }
    assert.equal(
      gelf(trace, { ...origin, processName: 'mine' }).toString(),
      '{"version":"1.1","host":"h1","short_message":"-","full_message":"Error: x\\n    at y","timestamp":1700000000.123,"level":3,' +
        '"_process":"nexstream","_process_id":42,"_process_name":"mine","_thread_id":0,"_facility":"ESS","_service_id":"w1"}'
    )
  })

  it('never holds the end of frame of TCP, nor values that cannot be indexed', () => {
    const frame = gelf({ ...line, message: 'a\0b', fields: { long: 'é'.repeat(20_000) } }, origin)
    assert.ok(!frame.includes(0))
    const { _long: long, short_message: short } = JSON.parse(frame.toString()) as Record<string, string>
    assert.deepEqual([long, short], ['é'.repeat(16_383), 'a\0b'])
  })

  it('goes in chunks over UDP when it is long, and not at all when it is too long', () => {
    assert.deepEqual(datagrams(Buffer.alloc(1420, 1)), [Buffer.alloc(1420, 1)])
    const message = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251))
    const parts = datagrams(message) ?? []
    assert.equal(parts.length, 4)
    const ids = new Set(parts.map((part) => part.subarray(2, 10).toString('hex')))
    assert.equal(ids.size, 1)
    for (const [i, part] of parts.entries()) {
      assert.ok(part.length <= 1420)
      assert.deepEqual([part[0], part[1], part[10], part[11]], [0x1e, 0x0f, i, 4])
    }
    assert.deepEqual(Buffer.concat(parts.map((part) => part.subarray(12))), message)
    assert.equal(datagrams(Buffer.alloc(128 * 1408))?.length, 128)
    assert.equal(datagrams(Buffer.alloc(128 * 1408 + 1)), undefined)
  })
})
