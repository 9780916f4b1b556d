// The time window of jobs on a real Kafka: each rule with messages that would be lost or wrongly taken without it.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { testTopics } from '../support/kafka.js'
import { readNexus } from '../support/nexus.js'
import { codes, entry, group, Harness, type Json, reportOf } from './harness.js'

const MINUTE = 60_000

describe('time window on a real Kafka', function () {
  this.timeout(180_000)
  let h: Harness
  before(async () => {
    h = await Harness.start({ max_jobs: 8, look_back_ms: 10 * MINUTE, late_data_ms: 1500 })
  })
  after(async () => h?.close())

  /** Starts a job for one stream; gives its id. */
  async function begin(topic: string, command: Json, config: object = {}): Promise<string> {
    const id = randomUUID()
    const structure = entry(group('pv', 'f144', topic, 'pv', config))
    const reply = await h.start({ job_id: id, file_name: `${id}.nxs`, nexus_structure: structure, ...command })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    return id
  }
  async function written(id: string): Promise<{ values: unknown; end: Json }> {
    const end = await h.done(id)
    const content = await readNexus(join(h.folder, `${id}.nxs`), ['entry/pv/value'])
    return { values: content['entry/pv/value'], end }
  }
  const stop = (id: string, more: Json = {}): Promise<Json> =>
    h.control.send({ cmd: 'stop', service: 'filewriter', job_id: id, ...more })

  it('finds the last value before the start within the limit of the search, and says when it did not', async () => {
    const { near, far } = await testTopics(['near', 'far'])
    const t0 = Date.now() - 60 * MINUTE
    h.log(near, 'pv', t0 - 8 * MINUTE, 1)
    h.log(far, 'pv', t0 - 20 * MINUTE, 1)
    for (const topic of [near, far]) for (let i = 0; i < 5; i++) h.log(topic, 'other', t0 - 5 * MINUTE + i, i)
    await h.producer.flush()
    const window = { start_time: t0, stop_time: t0 + MINUTE }
    const [a, b] = [await begin(near, window), await begin(far, window)]
    assert.deepEqual((await written(a)).values, [1])
    const { values, end } = await written(b)
    assert.deepEqual(values, [])
    assert.match(String(reportOf(end).notes), /no value for 1 logs of far-.* within 600 s before the start/)
    assert.deepEqual(reportOf(end).without_data, ['/entry/pv'])
  })

  it('writes the first value after the stop however late, when the stream asks for it', async () => {
    const { rare } = await testTopics(['rare'])
    const t0 = Date.now() - 300 * MINUTE
    h.log(rare, 'pv', t0 + 1000, 1)
    for (let i = 0; i < 50; i++) h.log(rare, 'other', t0 + i * MINUTE, i)
    h.log(rare, 'pv', t0 + 240 * MINUTE, 2)
    h.log(rare, 'pv', t0 + 241 * MINUTE, 3)
    await h.producer.flush()
    const window = { start_time: t0, stop_time: t0 + MINUTE }
    const [a, b] = [await begin(rare, window, { first_after_stop: true }), await begin(rare, window)]
    assert.deepEqual((await written(a)).values, [1, 2])
    assert.deepEqual((await written(b)).values, [1])
  })

  it('is not led astray by single messages with absurd Kafka times', async () => {
    const { stray } = await testTopics(['stray'], {
      config: { 'message.timestamp.after.max.ms': '9223372036854775807' }
    })
    const t0 = Date.now() - 60 * MINUTE
    const absurd = (atMs: number, value: number, timestampMs: number): void => {
      const message = logF144.encode({ source: 'pv', timestampNs: BigInt(atMs) * 1_000_000n, dtype: 'float64', value })
      h.producer.send({ topic: stray, value: message, timestampMs })
    }
    h.log(stray, 'pv', t0 - 1, 0)
    h.log(stray, 'pv', t0 + 1000, 1)
    // A clock that is an hour ahead, one in 2100, and one of 1970
    absurd(t0 + 2000, 2, t0 + 60 * MINUTE)
    absurd(t0 + 3000, 3, Date.UTC(2100, 0))
    absurd(t0 + 4000, 4, 5)
    await h.producer.flush()
    h.log(stray, 'pv', t0 + 5000, 5)
    h.log(stray, 'pv', t0 + 90_000, 6)
    await h.producer.flush()
    const { values, end } = await written(await begin(stray, { start_time: t0, stop_time: t0 + MINUTE }))
    assert.deepEqual(values, [0, 1, 2, 3, 4, 5])
    assert.equal(end['error_encountered'], false)
  })

  it('takes a stop in the past, now, and one that is moved both ways, but none once it has passed', async () => {
    const { live } = await testTopics(['live'])
    const t0 = Date.now() - MINUTE
    for (let i = 0; i < 30; i++) h.log(live, 'pv', t0 + i * 1000, i)
    await h.producer.flush()
    const [past, moved] = [await begin(live, { start_time: t0 }), await begin(live, { start_time: t0 })]
    await h.written(past, 30)
    assert.equal((await stop(past, { stop_time: t0 + 2000 }))['response'], 'ACK')
    const soon = Date.now() + 3_600_000
    assert.equal((await stop(moved, { stop_time: soon }))['response'], 'ACK')
    assert.deepEqual((await stop(moved, { stop_time: soon + MINUTE }))['result'], { stop_time_ms: soon + MINUTE })
    assert.equal((await stop(moved, { stop_time: new Date(t0 + 40_000).toISOString() }))['response'], 'ACK')
    assert.match(codes(await stop(moved, { stop_time: soon }))[0] ?? '', /COMMAND_FAILED|JOB_ENDED/)
    const all = Array.from({ length: 30 }, (_, i) => i)
    const { values, end } = await written(past)
    // What had been written stays, and the report says so
    assert.deepEqual(values, all)
    assert.match(String(reportOf(end).notes), /the stop time became .* when data up to .* had been written/)
    assert.deepEqual((await written(moved)).values, all)
    assert.deepEqual(codes(await stop(moved)), ['JOB_ENDED /job_id'])
  })

  it('waits for data that reach Kafka late', async () => {
    const { late } = await testTopics(['late'])
    const id = await begin(late, { start_time: Date.now() - 1000 })
    const stopMs = Date.now()
    h.log(late, 'pv', stopMs + 1, 1)
    await h.producer.flush()
    // Sent after the stop time, and after a message from behind it
    const send = h.control.send({ cmd: 'stop', service: 'filewriter', job_id: id, stop_time: stopMs })
    h.log(late, 'pv', stopMs - 10, 2)
    await h.producer.flush()
    await send
    // 1 may have been written before the stop was heard
    const { values } = await written(id)
    assert.deepEqual(
      (values as number[]).filter((value) => value !== 1),
      [2]
    )
  })

  it('refuses, skips or waits for a topic that holds nothing, as the stream says', async () => {
    const { empty, other } = await testTopics(['empty', 'other'])
    const window = { start_time: Date.now() - MINUTE, stop_time: Date.now() - 1000 }
    const structure = entry(group('pv', 'f144', empty, 'pv', { on_empty_topic: 'fail' }))
    assert.deepEqual(codes(await h.start({ file_name: 'e.nxs', nexus_structure: structure, ...window })), [
      'TOPIC_EMPTY /nexus_structure/children/0/children/0/children/0/config/topic'
    ])
    const id = await begin(empty, window, { on_empty_topic: 'skip' })
    assert.deepEqual((await written(id)).values, [])
    const waits = await begin(other, { start_time: Date.now() })
    h.log(other, 'pv', Date.now(), 7)
    await h.producer.flush()
    await h.written(waits, 1)
    assert.equal((await stop(waits))['response'], 'ACK')
    assert.deepEqual((await written(waits)).values, [7])
  })
})
