import assert from 'node:assert/strict'
import { type DaemonSnapshot, type Metric } from '../../core/api/plugin.js'
import { toText } from './index.js'
import { ess, nexstream } from './layouts.js'

const metric = (name: string, value: number, labels?: Metric['labels']): Metric => ({
  ...{ name, help: 'h', type: 'counter', value },
  ...(labels && { labels })
})
const partition = { topic: 'amor_events', partition: '0' }

const snapshot = {
  version: '1.2.3',
  service_id: 'Writer 1',
  state: 'running',
  kafka: { connected: true },
  uptime_s: 77,
  jobs: [
    { service: 'filewriter', state: 'running', ended: null, file_bytes: 2_400_000 },
    { service: 'filewriter', state: 'running', ended: null, file_bytes: 1_000_000 },
    { service: 'filewriter', state: 'done', ended: '2026-11-21T12:00:00.000Z', file_bytes: 9e9 }
  ],
  services: {
    filewriter: {
      state: 'writing',
      metrics: [
        metric('nexstream_filewriter_jobs', 2),
        metric('nexstream_filewriter_messages_written_total', 40),
        metric('nexstream_filewriter_messages_bad_total', 3),
        metric('nexstream_filewriter_messages_behind', 5),
        metric('nexstream_filewriter_jobs_ended_total', 6, { result: 'done' }),
        metric('nexstream_filewriter_jobs_ended_total', 1, { result: 'failed' })
      ],
      details: () => [
        { of: partition, counts: { received: 10, processed: 9, 'flatbuffer_errors.small_buffer': 1 } },
        { of: { ...partition, source: 'SE:TEMP.VAL', module: 'f144' }, counts: { received: 4, sent: 3 } },
        { of: partition, counts: { received: 10, processed: 10, 'flatbuffer_errors.small_buffer': 0 } }
      ]
    },
    forwarder: {
      state: 'forwarding',
      metrics: [
        metric('nexstream_forwarder_channels', 2),
        metric('nexstream_forwarder_convert_errors_total', 0),
        metric('nexstream_forwarder_acknowledged_total', 12),
        metric('nexstream_forwarder_superseded_total', 1),
        metric('nexstream_forwarder_lost_total', 0)
      ],
      details: () => [
        { of: { latency: 'send' }, counts: { sum: 0.5, count: 2 } },
        { of: { latency: 'processing', channel: 'SE:TEMP.VAL' }, counts: { sum: 0, count: 0 } },
        { of: { latency: 'receive', channel: 'bad\nname 1 2' }, counts: { sum: 3, count: 4 } }
      ]
    }
  }
} as unknown as DaemonSnapshot

describe('reporter-graphite', () => {
  it('sends the paths of kafka-to-nexus and of the forwarder, one root per role', () => {
    const writer = 'kafka-to-nexus.h1_site_org.Writer_1'
    const forwarder = 'forwarder.h1_site_org.writer1'
    assert.deepEqual(toText(ess(snapshot, 'h1.Site.org'.toLowerCase()), 1_700_000_000_999), [
      `${writer}.worker_state 1 1700000000\n`,
      `${writer}.filewriter_uptime 77 1700000000\n`,
      `${writer}.total_writes_finished 7 1700000000\n`,
      `${writer}.approx_file_size_mb 3 1700000000\n`,
      `${writer}.stream.writer.writes_done 40 1700000000\n`,
      `${writer}.stream.writer.write_errors 3 1700000000\n`,
      `${writer}.stream.writer.approx_queued_writes 5 1700000000\n`,
      `${writer}.amor_events.partition_0.received 20 1700000000\n`,
      `${writer}.amor_events.partition_0.processed 19 1700000000\n`,
      `${writer}.amor_events.partition_0.flatbuffer_errors.small_buffer 1 1700000000\n`,
      `${writer}.amor_events.partition_0.SE:TEMP.VAL_f144.received 4 1700000000\n`,
      `${writer}.amor_events.partition_0.SE:TEMP.VAL_f144.sent 3 1700000000\n`,
      `${forwarder}.pvs_subscribed 2 1700000000\n`,
      `${forwarder}.processing_errors 0 1700000000\n`,
      `${forwarder}.successful_sends 12 1700000000\n`,
      `${forwarder}.send_buffer_errors 1 1700000000\n`,
      `${forwarder}.send_delivery_errors 0 1700000000\n`,
      `${forwarder}.send_latency_seconds.sum 0.5 1700000000\n`,
      `${forwarder}.send_latency_seconds.count 2 1700000000\n`,
      `${forwarder}.send_latency_seconds.average 0.25 1700000000\n`,
      `${forwarder}.processing_latency_seconds.SE:TEMP.VAL.sum 0 1700000000\n`,
      `${forwarder}.processing_latency_seconds.SE:TEMP.VAL.count 0 1700000000\n`,
      `${forwarder}.processing_latency_seconds.SE:TEMP.VAL.average 0 1700000000\n`,
      `${forwarder}.receive_latency_seconds.bad_name_1_2.sum 3 1700000000\n`,
      `${forwarder}.receive_latency_seconds.bad_name_1_2.count 4 1700000000\n`,
      `${forwarder}.receive_latency_seconds.bad_name_1_2.average 0.75 1700000000\n`
    ])
  })

  it('says of an idle writer what the field\u2019s says', () => {
    const idle = { ...snapshot, jobs: [], services: { filewriter: { state: 'idle', metrics: [] } } }
    assert.deepEqual(
      ess(idle, 'h').map(([path, value]) => `${path.slice('kafka-to-nexus.h.Writer_1.'.length)} ${value}`),
      ['worker_state 0', 'filewriter_uptime 77', 'total_writes_finished 0', 'stream.writer.writes_done 0', 'stream.writer.write_errors 0', 'stream.writer.approx_queued_writes 0'] // prettier-ignore
    )
  })

  it('sends every metric in our own names, in clean segments', () => {
    const lines = nexstream(snapshot, 'H1.site').map(([path, value]) => `${path} ${value}`)
    const root = 'nexstream.h1_site.writer_1'
    assert.ok(lines.includes(`${root}.build_info.1_2_3.${process.version.replaceAll('.', '_')} 1`))
    assert.ok(lines.includes(`${root}.ready 1`))
    assert.ok(lines.includes(`${root}.service_state.filewriter.writing 1`))
    assert.ok(lines.includes(`${root}.filewriter_jobs_ended_total.failed 1`))
    assert.ok(lines.includes(`${root}.forwarder_acknowledged_total 12`))
    for (const line of lines) assert.match(line, /^[a-z0-9_.-]+ [0-9.]+$/)
  })
})
