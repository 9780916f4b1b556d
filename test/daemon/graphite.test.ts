// A daemon that tells a real Carbon in the words of the field's writer and forwarder: values are read back from its files.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Daemon, loadConfig, startDaemon } from '../../core/main.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { connectKafka } from '../../core/kafka/client.js'
import { entry, group } from '../filewriter/harness.js'
import { Carbon } from '../support/carbon.js'
import { Control } from '../support/control.js'
import { until } from '../support/forwarder/live.js'
import { kafka, testTopics } from '../support/kafka.js'

describe('metrics for a real Carbon', function () {
  this.timeout(240_000)
  let carbon: Carbon
  let daemon: Daemon | undefined
  let control: Control | undefined
  let topics: Record<'commands' | 'status' | 'data' | 'values', string>
  const folder = mkdtempSync(join(tmpdir(), 'nexstream-graphite-'))
  let seen: Record<string, number> = {}
  /** Waits until Carbon has all of these paths with values that fit. */
  const has = (wanted: Readonly<Record<string, (value: number) => boolean>>): Promise<void> =>
    until(async () => {
      seen = await carbon.newest()
      return Object.entries(wanted).every(([path, fits]) => seen[path] !== undefined && fits(seen[path]))
    }, 90_000).catch((error: unknown) => {
      throw new Error(`Carbon has ${JSON.stringify(seen, null, 1)}`, { cause: error })
    })
  const is = (n: number) => (value: number) => value === n
  const some = (value: number): boolean => value > 0

  before(async () => {
    const { brokers } = await kafka()
    ;[carbon, topics] = await Promise.all([Carbon.start(), testTopics(['commands', 'status', 'data', 'values'])])
    control = await Control.open(brokers, topics.commands, [topics.status])
    const flags = {
      'kafka.brokers': JSON.stringify(brokers),
      'commands.topic': topics.commands,
      'status.topic': topics.status,
      'status.interval': '200ms',
      'log.level': 'error',
      'daemon.service_id': 'Test-1',
      'services.filewriter.folder': folder,
      'services.filewriter.progress_ms': '100',
      'services.forwarder.default_protocol': 'sim',
      'reporters.graphite.port': String(carbon.port),
      'reporters.graphite.layout': 'ess',
      'reporters.graphite.host_name': 'h1.site.org',
      'reporters.graphite.interval_ms': '300'
    }
    const loaded = loadConfig({ flags })
    assert.deepEqual(loaded.findings, [])
    daemon = await startDaemon(loaded)
  })
  after(async () => {
    await daemon?.stop('test over')
    await control?.close()
    await carbon?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('has what the dashboards of the field ask for, and goes on after Carbon was killed', async () => {
    const writer = 'kafka-to-nexus.h1_site_org.Test-1'
    const forwarder = 'forwarder.h1_site_org.test-1'
    await has({ [`${writer}.worker_state`]: is(0), [`${forwarder}.pvs_subscribed`]: is(0) })

    const { brokers } = await kafka()
    const client = connectKafka({ brokers })
    const producer = client.producer()
    const nowNs = BigInt(Date.now()) * 1_000_000n
    const log = (n: bigint): Buffer =>
      logF144.encode({ source: 'SE:TEMP', timestampNs: nowNs + n * 1_000_000n, dtype: 'float64', value: 1 })
    for (let n = 1n; n <= 5n; n++) producer.send({ topic: topics.data, partition: 0, value: log(n) })
    producer.send({ topic: topics.data, partition: 0, value: log(5n) })
    producer.send({ topic: topics.data, partition: 0, value: 'short' })
    producer.send({ topic: topics.data, partition: 0, value: Buffer.from('\0\0\0\0zz99 and more') })
    await producer.close()
    await client.close()
    const structure = entry(group('temperature', 'f144', topics.data, 'SE:TEMP', { dtype: 'double' }))
    const started = await control?.send({
      ...{ cmd: 'start', service: 'filewriter', job_id: 'g', file_name: 'g.nxs', nexus_structure: structure },
      start_time: Number(nowNs / 1_000_000n)
    })
    assert.equal(started?.['response'], 'ACK', JSON.stringify(started))
    const streams = [{ channel: 'counter:1', converter: 'f144', topic: topics.values }]
    const forwarded = await control?.send({ cmd: 'start', service: 'forwarder', streams })
    assert.equal(forwarded?.['response'], 'ACK', JSON.stringify(forwarded))

    const at = `${writer}.${topics.data}.partition_0`
    const channel = 'counter:1'
    await has({
      [`${writer}.worker_state`]: is(1),
      [`${writer}.filewriter_uptime`]: some,
      [`${writer}.approx_file_size_mb`]: is(0),
      [`${writer}.stream.writer.writes_done`]: is(5),
      [`${at}.received`]: is(8),
      [`${at}.processed`]: is(6),
      [`${at}.flatbuffer_errors`]: is(2),
      [`${at}.flatbuffer_errors.small_buffer`]: is(1),
      [`${at}.flatbuffer_errors.unknown_flatbuffer`]: is(1),
      [`${at}.flatbuffer_errors.invalid_flatbuffer`]: is(0),
      [`${at}.flatbuffer_errors.bad_timestamps`]: is(0),
      [`${at}.timeouts`]: is(0),
      [`${at}.end_of_partition`]: is(0),
      [`${at}.kafka_errors`]: is(0),
      [`${at}.bad_offsets`]: is(0),
      [`${at}.SE:TEMP_f144.received`]: is(6),
      [`${at}.SE:TEMP_f144.sent`]: is(5),
      [`${at}.SE:TEMP_f144.discarded`]: is(0),
      [`${at}.SE:TEMP_f144.repeated_timestamp`]: is(1),
      [`${forwarder}.pvs_subscribed`]: is(1),
      [`${forwarder}.successful_sends`]: some,
      [`${forwarder}.send_latency_seconds.average`]: some,
      [`${forwarder}.processing_latency_seconds.${channel}.count`]: some,
      [`${forwarder}.receive_latency_seconds.${channel}.average`]: (value) => value < 60
    })

    await carbon.kill()
    await until(() => daemon?.snapshot().outlets?.['graphite']?.state === 'away')
    assert.equal((await control?.send({ cmd: 'stop', service: 'filewriter', job_id: 'g' }))?.['response'], 'ACK')
    await carbon.restart()
    await has({ [`${writer}.worker_state`]: is(0), [`${writer}.total_writes_finished`]: is(1) })
    const { state, sent } = daemon?.snapshot().outlets?.['graphite'] as unknown as { state: string; sent: number }
    assert.deepEqual([state, sent > 50], ['connected', true])
  })
})
