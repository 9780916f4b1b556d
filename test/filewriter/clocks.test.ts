// Past windows whose Kafka times lie: every message whose own time is in the window is in the file, however batches are cut.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type ProducerOptions } from '../../core/api/plugin.js'
import { eventCodec } from '../../plugins/converter-events/codec.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { testTopics } from '../support/kafka.js'
import { random } from '../support/random.js'
import { readNexus } from '../support/nexus.js'
import { entry, group, Harness, type Json, reportOf } from './harness.js'

const SECOND = 1000
const hour = 3600 * SECOND
const lz4: ProducerOptions = { compression: 'lz4', lingerMs: 100 }
const anyTime = { 'retention.ms': '-1', 'message.timestamp.after.max.ms': '9223372036854775807' }
const ev44 = eventCodec('ev44')

/** A value of a log: its own time, and the one that Kafka is told. */
interface Sent {
  readonly source?: string
  readonly atMs: number
  readonly kafkaMs?: number
}

describe('past windows whose Kafka times lie', function () {
  this.timeout(240_000)
  let h: Harness
  before(async () => {
    h = await Harness.start({ max_jobs: 4, before_start_ms: 10_000, late_data_ms: 5000 })
  })
  after(async () => h?.close())

  async function send(topic: string, list: Iterable<Sent>, options: ProducerOptions): Promise<void> {
    const producer = h.control.kafka.producer(options)
    let value = 0
    for (const { source = 'pv', atMs, kafkaMs = atMs } of list) {
      const timestampNs = BigInt(atMs) * 1_000_000n
      const message = logF144.encode({ source, timestampNs, dtype: 'float64', value: value++ })
      if (!producer.send({ topic, value: message, timestampMs: kafkaMs })) await producer.drained()
    }
    await producer.flush()
    await producer.close()
  }
  async function run(structure: object, startMs: number, stopMs: number): Promise<{ id: string; end: Json }> {
    const id = randomUUID()
    const window = { start_time: startMs, stop_time: stopMs }
    const reply = await h.start({ job_id: id, file_name: `${id}.nxs`, nexus_structure: structure, ...window })
    assert.equal(reply['response'], 'ACK', JSON.stringify(reply))
    const end = await h.done(id)
    assert.equal(end['error_encountered'], false, JSON.stringify(reportOf(end).problems))
    return { id, end }
  }
  const logs = (topic: string, ...sources: string[]): object =>
    entry(...sources.map((source) => group(source, 'f144', topic, source)))
  const written = (end: Json): number[] => reportOf(end).streams.map((stream) => stream.written)
  const numbers = (n: number): number[] => [...Array(n).keys()]

  it('one fast message among 100,000 in lz4 batches', async () => {
    const { fast } = await testTopics(['fast'], { config: anyTime })
    const t0 = Date.now() - 3 * hour
    const all = numbers(100_000).map((i) => ({ atMs: t0 + 1000 + i, ...(i === 3001 && { kafkaMs: t0 + 2 * hour }) }))
    // In a batch of its own
    for (const part of [all.slice(0, 3001), all.slice(3001, 3002), all.slice(3002)]) await send(fast, part, lz4)
    await send(fast, [{ atMs: t0 + 2 * hour }], lz4)
    const { end } = await run(logs(fast, 'pv'), t0, t0 + 200 * SECOND)
    assert.deepEqual(written(end), [100_000])
  })

  it('one fast message among large ones that are not compressed', async () => {
    const { large } = await testTopics(['large'], { config: { ...anyTime, 'max.message.bytes': '10000000' } })
    const t0 = Date.now() - 3 * hour
    const producer = h.control.kafka.producer({ lingerMs: 0, maxBatchBytes: 9 << 20, maxBufferedBytes: 1 << 30 })
    for (let i = 0; i < 20; i++) {
      const length = i === 4 ? 375_000 : 875_000
      const bytes = new Uint8Array(4 * length)
      const ints = { dtype: 'int32', length, bytes } as const
      const time = new Uint8Array(BigInt64Array.of(BigInt(t0 + 1000 + i) * 1_000_000n).buffer)
      const one = { dtype: 'int32', length: 1, bytes: new Uint8Array(4) } as const
      const value = ev44.encode({
        ...{ source: 'det', messageId: BigInt(i), referenceTime: { dtype: 'int64', length: 1, bytes: time } },
        ...{ referenceTimeIndex: one, timeOfFlight: ints, pixelId: ints }
      })
      producer.send({ topic: large, value, timestampMs: i === 4 ? t0 + hour : t0 + 1000 + i })
    }
    await producer.flush()
    await producer.close()
    const { end } = await run(entry(group('det', 'ev44', large, 'det')), t0, t0 + 60 * SECOND)
    assert.deepEqual(written(end), [20])
  })

  it('a second producer whose clock is a minute fast', async () => {
    const { second: topic } = await testTopics(['second'], { config: anyTime })
    const t0 = Date.now() - 3 * hour
    // 100 s of 1 kHz from `pv`; what `other` sends meanwhile bears times a minute later
    const all = numbers(102_000).map((i) => {
      const atMs = t0 + i
      return i % 50 === 25 ? { source: 'other', atMs: atMs + 60 * SECOND } : { atMs }
    })
    await send(topic, all, lz4)
    const { end } = await run(logs(topic, 'pv', 'other'), t0, t0 + 99_999)
    assert.deepEqual(written(end), [98_000, 800])
  })

  it('a topic replayed with the time of the broker', async () => {
    const config = { ...anyTime, 'message.timestamp.type': 'LogAppendTime' }
    const { replay } = await testTopics(['replay'], { config })
    const t0 = Date.now() - 30 * 24 * hour
    await send(replay, numbers(300_000).map((i) => ({ atMs: t0 + i })), lz4) // prettier-ignore
    const { end } = await run(logs(replay, 'pv'), t0, t0 + 300 * SECOND)
    assert.deepEqual(written(end), [300_000])
    // Only its last part: a day of other data lies before it
    const again = await run(logs(replay, 'pv'), t0 + 299_000, t0 + 300 * SECOND)
    assert.deepEqual(written(again.end), [1001])
  })

  it('a producer whose clock was an hour slow, in a partition of its own and beside another', async () => {
    const { hours } = await testTopics(['hours'], { config: anyTime, partitions: 2 })
    const t0 = Date.now() - 9 * hour
    const all = numbers(8 * 720).flatMap((i) => [
      { atMs: t0 + 5000 * i },
      { source: 'late', atMs: t0 + 5000 * i - hour },
      { source: 'kafka', atMs: t0 + 5000 * i, kafkaMs: t0 + 5000 * i - hour }
    ])
    await send(hours, all, lz4)
    const { end } = await run(logs(hours, 'pv', 'late', 'kafka'), t0 + 2 * hour, t0 + 3 * hour)
    // And one from before the start of each
    assert.deepEqual(written(end), [722, 722, 722])
  })

  it('a producer whose Kafka times are a minute slow', async () => {
    const { slow } = await testTopics(['slow'], { config: anyTime })
    const t0 = Date.now() - 3 * hour
    const all = numbers(300_000).map((i) => ({ atMs: t0 + i, kafkaMs: t0 + i - 60 * SECOND }))
    await send(slow, all, lz4)
    const { id, end } = await run(logs(slow, 'pv'), t0 + 100 * SECOND, t0 + 200 * SECOND)
    // The last one before the start, and both ends
    assert.deepEqual(written(end), [100_002])
    const content = await readNexus(join(h.folder, `${id}.nxs`), ['entry/pv/value'])
    const values = content['entry/pv/value'] as number[]
    assert.deepEqual([values[0], values.at(-1)], [99_999, 200_000])
  })

  it('random clocks, codecs and cuts of batches', async () => {
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
    for (let seed = 1; seed <= 8; seed++) {
      const next = random(seed)
      const type = next(4) === 0 ? { 'message.timestamp.type': 'LogAppendTime' } : {}
      const { clocks } = await testTopics(['clocks'], { config: { ...anyTime, ...type }, partitions: 1 + next(2) })
      const t0 = Date.now() - 12 * hour
      const sources = ['a', 'b', 'c'].slice(0, 1 + next(3))
      const all = sources.flatMap((source) => {
        const everyMs = 2000 + next(8000)
        const [ownMs, kafkaMs, wild] = [next(2 * hour) - hour, next(2) * (next(2 * hour) - hour), next(60)]
        return numbers(Math.floor((4 * hour) / everyMs)).map((i) => {
          const stray = next(1000) < wild ? next(4 * hour) - 2 * hour : 0
          const atMs = t0 + i * everyMs + ownMs
          return { source, arrivesMs: t0 + i * everyMs, atMs, kafkaMs: atMs + kafkaMs + stray }
        })
      })
      all.sort((a, b) => a.arrivesMs - b.arrivesMs)
      for (let at = 0; at < all.length;) {
        const part = all.slice(at, (at += 1 + next(2000)))
        await send(clocks, part, { compression: codecs[next(5)]!, lingerMs: 50 })
      }
      const startMs = t0 + hour + next(hour)
      const stopMs = startMs + next(hour)
      const { end } = await run(logs(clocks, ...sources), startMs, stopMs)
      const wanted = sources.map((source) => {
        const mine = all.filter((one) => one.source === source)
        const before = mine.some(({ atMs }) => atMs < startMs) ? 1 : 0
        return before + mine.filter(({ atMs }) => atMs >= startMs && atMs <= stopMs).length
      })
      assert.deepEqual(written(end), wanted, `seed ${seed}`)
    }
  })

  it('of a topic that is large only what is needed is read, and the report says so', async () => {
    const { events } = await testTopics(['events'], { config: anyTime })
    const t0 = Date.now() - 3 * hour
    const producer = h.control.kafka.producer({ maxBufferedBytes: 32 << 20 })
    const ints = { dtype: 'int32', length: 25_000, bytes: new Uint8Array(100_000) } as const
    const one = { dtype: 'int32', length: 1, bytes: new Uint8Array(4) } as const
    const total = 1500
    for (const i of numbers(total)) {
      const time = new Uint8Array(BigInt64Array.of(BigInt(t0 + i * SECOND) * 1_000_000n).buffer)
      const value = ev44.encode({
        ...{ source: 'det', messageId: BigInt(i), referenceTime: { dtype: 'int64', length: 1, bytes: time } },
        ...{ referenceTimeIndex: one, timeOfFlight: ints, pixelId: ints }
      })
      // Its clock is a minute slow for Kafka, and behind the start one in fifty is an hour ahead
      const timestampMs = t0 + i * SECOND + (i % 50 === 7 && i > 640 ? hour : -60 * SECOND)
      if (!producer.send({ topic: events, value, timestampMs })) await producer.drained()
    }
    await producer.flush()
    await producer.close()
    const structure = entry(group('det', 'ev44', events, 'det'))
    const { end } = await run(structure, t0 + 600 * SECOND, t0 + 700 * SECOND)
    assert.deepEqual(written(end), [101])
    const report = reportOf(end)
    assert.match(String(report.notes), /later messages were not looked at/)
    assert.ok(report.messages < total / 2, String(report.messages))
  })
})
