// The thread that counts where Kafka or its owner does what is rare: topics that go, words that come late.
import assert from 'node:assert/strict'
import { connectKafka, type KafkaClient } from '../../core/kafka/client.js'
import { type Producer } from '../../core/api/plugin.js'
import { kafka as startKafka, testTopics } from '../support/kafka.js'
import { createTopic, deleteTopic } from '../support/topics.js'
import { Counting } from './counting.js'
import { events } from './live.js'

describe('the thread that counts histograms', function () {
  this.timeout(60_000)
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
    counting = await Counting.open(brokers)
  })
  after(async () => {
    await counting?.close()
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
})
