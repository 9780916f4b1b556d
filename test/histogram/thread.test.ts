// The thread that counts where Kafka or its owner does what is rare: topics that go, words that come late.
import assert from 'node:assert/strict'
import { connectKafka, type KafkaClient } from '../../core/kafka/client.js'
import { type Producer } from '../../core/api/plugin.js'
import { type CountingProgress } from '../../plugins/service-histogram/thread/protocol.js'
import { MemoryLeft } from '../../plugins/service-histogram/memory.js'
import { specOf } from '../../plugins/service-histogram/spec.js'
import { histogramCommand } from '../support/histograms.js'
import { kafka as startKafka, testTopics } from '../support/kafka.js'
import { diverged, type KafkaProxy, kafkaProxy } from '../support/kafka-proxy.js'
import { createTopic, deleteTopic, remakeTopic } from '../support/topics.js'
import { Counting } from './counting.js'
import { events } from './live.js'

const FETCH = 1
/** Where the error code of the only partition stands in an answer. */
const CODE_AT = 8 + 1 + 4 + 2 + 4 + 1 + 16 + 1 + 4
const TOPIC_AUTHORIZATION_FAILED = 29

describe('the thread that counts histograms', () => {
  let proxy: KafkaProxy
  let counting: Counting
  let kafka: KafkaClient
  let producer: Producer
  const topics = () => testTopics(['data', 'out'])
  const put = async (topic: string, n: number): Promise<void> => {
    for (let i = 0; i < n; i++) producer.send({ topic, partition: 0, value: events({ tof: [5], pixel: [1] }) })
    await producer.flush()
  }

  before(async () => {
    const { brokers } = await startKafka()
    kafka = connectKafka({ brokers: [...brokers] })
    producer = kafka.producer({ lingerMs: 0 })
    proxy = await kafkaProxy(brokers[0]!)
    counting = await Counting.open([proxy.address])
  })
  afterEach(() => {
    proxy.meddle = (_, frame) => frame
    proxy.overhear = () => undefined
  })
  after(async () => {
    await counting?.close()
    await proxy?.close()
    await producer?.close()
    await kafka?.close()
  })

  it('ends a job whose topic was deleted with what it has read', async () => {
    const { data, out } = await topics()
    await counting.start('gone', data, out)
    await put(data, 3)
    await counting.read('gone', 3)
    await deleteTopic(data)
    counting.tell({ type: 'stop', jobId: 'gone' })
    const { progress, error } = await counting.done('gone')
    assert.deepEqual([progress.messages, error], [3, null])
    await counting.wait('log', ({ message }) => message.includes(`1 partitions of topic ${data} are gone`))
    await createTopic(data) // For those who clean up
  })

  it('takes a stop for a job that has ended for no later one of the same id', async () => {
    const { data, out } = await topics()
    counting.tell({ type: 'stop', jobId: 'again' })
    await counting.start('again', data, out)
    await put(data, 1)
    await counting.read('again', 1)
    assert.equal((await counting.stop('again')).messages, 1)
  })

  it('fails only the job whose read fails, and reads the topic anew for the next', async () => {
    const { data, out } = await topics()
    await put(data, 100)
    await counting.start('now', data, out)
    proxy.meddle = (api, frame) => {
      // What is large is what the second reader fetches
      if (api === FETCH && frame.length > 5000) frame.writeInt16BE(TOPIC_AUTHORIZATION_FAILED, CODE_AT)
      return frame
    }
    await counting.start('past', data, out, { startMs: 1 })
    assert.match(String((await counting.done('past')).error), new RegExp(`topic ${data} cannot be read`))
    await put(data, 1)
    await counting.read('now', 1)
    proxy.meddle = (api, frame) => {
      if (api === FETCH) frame.writeInt16BE(TOPIC_AUTHORIZATION_FAILED, CODE_AT)
      return frame
    }
    assert.match(String((await counting.done('now')).error), new RegExp(`topic ${data} cannot be read`))
    proxy.meddle = (_, frame) => frame
    await counting.start('next', data, out)
    await put(data, 2)
    await counting.read('next', 2)
    assert.equal((await counting.stop('next')).messages, 2)
  })

  it('tells of what was damaged or taken back by Kafka, and counts what took its place', async () => {
    const { data, out } = await topics()
    const [info] = await kafka.topics([data])
    await counting.start('lossy', data, out)
    proxy.meddle = (api, frame) => {
      const at = api === FETCH ? frame.indexOf('ev44') : -1
      if (at >= 0) frame[at]! ^= 1
      return frame
    }
    await put(data, 1)
    await counting.wait('progress', ({ jobs }) => jobs.some(({ losses }) => losses['crc'] === 1))
    proxy.meddle = (_, frame) => frame
    await put(data, 4)
    await counting.read('lossy', 4)
    let answers = 0
    // Kafka lost a leader: of five messages the last two are others now
    proxy.overhear = (api) => (api === FETCH && answers++ === 0 ? diverged(info!.id!, 5, 3) : undefined)
    await counting.read('lossy', 6)
    const { messages, losses } = await counting.stop('lossy')
    assert.deepEqual([messages, losses], [6, { crc: 1, truncated: 2 }])
  })

  it('counts each message of a topic once that is made again while a second reader is behind', async () => {
    const { data, out } = await topics()
    await put(data, 100)
    await counting.start('first', data, out)
    let tries = 0
    let again = (): void => undefined
    const held = new Promise<void>((resolve) => (again = resolve))
    proxy.meddle = (api, frame) => {
      if (api !== FETCH || frame.length < 5000) return frame
      if (++tries === 1) again()
      return null
    }
    await counting.start('second', data, out, { startMs: 1 })
    await held
    await remakeTopic(data)
    proxy.meddle = (_, frame) => frame
    await put(data, 10)
    for (const id of ['first', 'second']) await counting.read(id, 10)
    const counted = await Promise.all(['first', 'second'].map((id) => counting.stop(id)))
    assert.deepEqual(counted.map(({ messages }) => messages), [10, 10]) // prettier-ignore
  })

  it('tells how far behind a job is, also one that fetches what was before, until it has all', async () => {
    const { data, out } = await topics()
    const fetchBytes = 1 << 16
    const wide = events({ tof: new Array<number>(8000).fill(5), pixel: new Array<number>(8000).fill(1) })
    for (let i = 0; i < 4; i++) {
      producer.send({ topic: data, partition: 0, value: wide })
      await producer.flush()
    }
    await counting.start('there', data, out, { fetchBytes })
    let reads = 0
    // The first answer with messages comes, and no further one
    proxy.meddle = (api, frame) => (api !== FETCH || frame.length < 5000 || reads++ === 0 ? frame : null)
    await counting.start('behind', data, out, { startMs: 1, fetchBytes })
    const isOf = (id: string, fits: (job: CountingProgress) => boolean) => ({ jobs }: { jobs: readonly CountingProgress[] }) =>
      jobs.some((job) => job.jobId === id && fits(job)) // prettier-ignore
    await counting.wait(
      'progress',
      isOf('behind', (job) => job.behind > 0 && job.behindMs > 500)
    )
    const seen = counting.said.length
    proxy.meddle = (_, frame) => frame
    await counting.wait('progress', isOf('behind', (job) => job.messages === 4 && job.behind === 0 && job.behindMs === 0)) // prettier-ignore
    const others = counting.said.slice(0, seen).flatMap((said) => (said.type === 'progress' ? said.jobs : []))
    assert.ok(others.filter(({ jobId }) => jobId === 'there').every(({ behind, behindMs }) => behind + behindMs === 0))
    for (const id of ['there', 'behind']) await counting.stop(id)
  })

  it('makes up events for every kind when told to, without a look at Kafka', async () => {
    const { out } = await topics()
    const base = { data_topic: 'nowhere', topic: out, tof_range: [0, 1000], num_bins: 5, width: 4, height: 3 }
    const rows = { left_edges: [7, 11] }
    const regions = [{ rectangle: [0, 0, 4, 3] }]
    const kinds = [{ kind: 'tof' }, { kind: 'tof_pixel', det_range: [0, 100] }, { kind: 'image' }, { kind: 'rows', ...rows }, { kind: 'roi', regions }, { kind: 'spectra' }] // prettier-ignore
    const histograms = kinds.map((one, index) =>
      specOf(histogramCommand({ ...base, ...one }), { path: '', index, sender: '' }, new MemoryLeft(1e9, 0))
    )
    await counting.start('made up', 'nowhere', out, { simulate: true, histograms })
    await counting.read('made up', 2)
    const progress = await counting.stop('made up')
    for (const { id, sum, outside, state } of progress.histograms)
      assert.deepEqual([id, state, outside, sum], [id, 'FINISHED', 0, progress.events / kinds.length])
  })
})
