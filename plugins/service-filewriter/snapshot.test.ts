import assert from 'node:assert/strict'
import { type Metric } from '../../core/api/plugin.js'
import { type FileJob } from './file-job.js'
import { snapshotOf, ServiceTotals } from './snapshot.js'
import { type OutputFolder } from './space.js'
import { type JobEnd } from './thread/protocol.js'

describe('filewriter metrics', () => {
  const folder = { healthy: true, trouble: null, free: 1 } as unknown as OutputFolder
  const metricsNow = (jobs: readonly FileJob[], ended: ServiceTotals): Record<string, number> => {
    const metrics = snapshotOf(jobs, ended, 1, folder, { detailed: false }).metrics ?? []
    const name = ({ name, labels = {} }: Metric): string => [name, ...Object.values(labels)].join(' ')
    return Object.fromEntries(metrics.map((metric) => [name(metric), metric.value]))
  }
  const write = { progress: { written: 5, bytes: 50, bad: 2, behind: 7 }, lastMessageMs: 9000 }
  const job = { announced: false, write } as unknown as FileJob

  it('keep what jobs counted when these end, with the reasons of their reports', () => {
    const ended = new ServiceTotals()
    const running = metricsNow([job], ended)
    const report = { losses: { overlap: 2 }, warnings: { units_changed: 1 } }
    ended.add(write, { error: true, report } as unknown as JobEnd)
    const after = metricsNow([], ended)
    for (const name of [
      'messages_written_total',
      'bytes_read_total',
      'messages_bad_total',
      'last_message_timestamp_seconds'
    ])
      assert.equal(after[`nexstream_filewriter_${name}`], running[`nexstream_filewriter_${name}`], name)
    assert.equal(after['nexstream_filewriter_messages_written_total'], 5)
    assert.equal(after['nexstream_filewriter_last_message_timestamp_seconds'], 9)
    assert.equal(after['nexstream_filewriter_counted_total overlap'], 2)
    assert.equal(after['nexstream_filewriter_counted_total units_changed'], 1)
    assert.deepEqual(
      [running, after].map((now) => now['nexstream_filewriter_messages_behind']),
      [7, 0]
    )
    ended.add(write, { error: false, report } as unknown as JobEnd)
    assert.equal(metricsNow([job], ended)['nexstream_filewriter_messages_written_total'], 15)
  })
})
