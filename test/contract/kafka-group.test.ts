import assert from 'node:assert/strict'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { type GroupMessage, type GroupReader, type Work, groupReader } from '../../core/kafka/group.js'
import { kafka, testTopics } from '../support/kafka.js'

/** Awaits messages one by one, whoever gets them. */
class Got {
  readonly by: [who: string, what: string][] = []
  #wake = (): void => undefined
  add(who: string, { value }: GroupMessage): void {
    this.by.push([who, value.toString()])
    this.#wake()
  }
  async count(n: number): Promise<void> {
    while (this.by.length < n) await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

describe('Kafka: groups', function () {
  this.timeout(180_000)
  let brokers: string[]
  let client: KafkaClient
  before(async () => {
    ;({ brokers } = await kafka())
    client = connectKafka({ brokers })
  })
  after(() => client.close())

  async function post(topic: string, ...values: string[]): Promise<void> {
    const producer = client.producer({ lingerMs: 0 })
    for (const value of values) producer.send({ topic, value })
    await producer.close()
  }

  it('give each message to one member, and the work of one that leaves to another', async () => {
    const { pool } = await testTopics(['pool'])
    const got = new Got()
    const options = { groupId: `group-${pool}`, topic: pool, from: 'earliest' } as const
    const members: Record<string, GroupReader> = {}
    const join = async (who: string): Promise<GroupReader> => {
      const work: Work = (message) => (got.add(who, message), Promise.resolve('done'))
      return (members[who] = await groupReader({ brokers }, options, work))
    }
    const first = await join('a')
    await post(pool, '1', '2')
    await got.count(2)
    // kafkajs: a member that joins makes the others join again; that they do is awaited by the next message.
    await join('b')
    await post(pool, '3')
    await got.count(3)
    await first.leave()
    await post(pool, '4', '5')
    await got.count(5)
    await first.join()
    await members['b']!.close()
    await post(pool, '6')
    await got.count(6)
    await first.close()
    assert.deepEqual(
      got.by.map(([, what]) => what),
      ['1', '2', '3', '4', '5', '6']
    )
    assert.deepEqual(
      [0, 1, 3, 4, 5].map((i) => got.by[i]![0]),
      ['a', 'a', 'b', 'b', 'a']
    )
  })

  it('begin where the topic ended when their first member came, also when that one never took anything', async () => {
    const { pool } = await testTopics(['pool'])
    const got = new Got()
    const options = { groupId: `group-${pool}`, topic: pool } as const
    const join = (who: string): Promise<GroupReader> =>
      groupReader({ brokers }, options, (message) => (got.add(who, message), Promise.resolve('done')))
    await post(pool, 'before')
    await (await join('a')).close()
    await post(pool, '1')
    const b = await join('b')
    await got.count(1)
    await post(pool, '2')
    await got.count(2)
    await b.close()
    assert.deepEqual(got.by, [
      ['b', '1'],
      ['b', '2']
    ])
  })

  it('repeat what failed before it was taken, and nothing that was taken', async () => {
    const { work } = await testTopics(['work'])
    const logged: string[] = []
    await post(work, 'good', 'bad', 'last')
    for (const takesFirst of [false, true]) {
      const got = new Got()
      const options = { groupId: `${String(takesFirst)}-${work}`, topic: work, from: 'earliest' } as const
      let failures = 0
      const run: Work = async (message, take) => {
        if (takesFirst) await take()
        got.add('x', message)
        if (message.value.toString() === 'bad' && failures++ === 0) throw new Error('no')
        return 'done'
      }
      const reader = await groupReader({ brokers }, options, run, (_, message) => void logged.push(message))
      await got.count(takesFirst ? 3 : 4)
      await reader.close()
      assert.deepEqual(
        got.by.map(([, what]) => what),
        takesFirst ? ['good', 'bad', 'last'] : ['good', 'bad', 'bad', 'last']
      )
    }
    assert.equal(logged.filter((line) => /offset 1: no$/.test(line)).length, 2)
  })

  it('give to another member what one will do later only', async () => {
    const { later } = await testTopics(['later'])
    const got = new Got()
    const options = { groupId: `later-${later}`, topic: later, from: 'earliest' } as const
    const busy: Work = (message) => (got.add('busy', message), Promise.resolve('later'))
    const free: Work = (message) => (got.add('free', message), Promise.resolve('done'))
    const first = await groupReader({ brokers }, options, busy)
    await post(later, '1', '2')
    await got.count(1)
    const second = await groupReader({ brokers }, options, free)
    await got.count(3)
    await Promise.all([first.close(), second.close()])
    assert.deepEqual(got.by, [
      ['busy', '1'],
      ['free', '1'],
      ['free', '2']
    ])
  })

  it('say what is wrong instead of waiting', async () => {
    const options = { groupId: 'g', topic: 'no-such-topic' }
    const nothing: Work = () => Promise.resolve('done')
    await assert.rejects(groupReader({ brokers }, options, nothing), {
      code: 'TOPIC_MISSING',
      message: /nexstream provision/
    })
    await assert.rejects(groupReader({ brokers: ['127.0.0.1:1'], timeout_ms: 200 }, options, nothing), {
      code: 'KAFKA_UNREACHABLE'
    })
  })
})
