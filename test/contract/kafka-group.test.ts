import assert from 'node:assert/strict'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { type GroupMessage, GroupReader, type Work } from '../../core/kafka/group.js'
import { groupReader } from '../support/group.js'
import { kafka, testTopics } from '../support/kafka.js'
import { random } from '../support/random.js'
import { remakeTopic, widenTopic } from '../support/topics.js'

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

const log = (): void => undefined

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
      return (members[who] = await groupReader(client, options, work))
    }
    const first = await join('a')
    await post(pool, '1', '2')
    await got.count(2)
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
      groupReader(client, options, (message) => (got.add(who, message), Promise.resolve('done')))
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
      const reader = await groupReader(client, options, run, (_, message) => void logged.push(message))
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
    const first = await groupReader(client, options, busy)
    await post(later, '1', '2')
    await got.count(1)
    const second = await groupReader(client, options, free)
    await got.count(3)
    await Promise.all([first.close(), second.close()])
    assert.deepEqual(got.by, [
      ['busy', '1'],
      ['free', '1'],
      ['free', '2']
    ])
  })

  it('hear several topics under one name, each member its own', async () => {
    const { one, two } = await testTopics(['one', 'two'])
    const got = new Got()
    const join = (topic: string): Promise<GroupReader> =>
      groupReader(client, { groupId: `two-${one}`, topic, from: 'earliest' }, (message) => {
        got.add(message.topic, message)
        return Promise.resolve('done')
      })
    const readers = [await join(one), await join(two)]
    await post(one, '1')
    await got.count(1)
    await post(two, '2')
    await got.count(2)
    await Promise.all(readers.map((reader) => reader.close()))
    assert.deepEqual(got.by, [
      [one, '1'],
      [two, '2']
    ])
  })

  it('let one go that still joins, and hold nothing for it', async () => {
    const { pool } = await testTopics(['pool'])
    const got = new Got()
    const options = { groupId: `join-${pool}`, topic: pool, from: 'earliest' } as const
    const begun = new Got()
    let finish: (done: 'done') => void = () => undefined
    const first = await groupReader(client, options, (message) => {
      begun.add('a', message)
      return new Promise((resolve) => (finish = resolve)) // Not taken: the others have to wait
    })
    await post(pool, '1')
    await begun.count(1)
    const second = new GroupReader(client, options, (message) => (got.add('b', message), Promise.resolve('done')), log)
    const joining = second.join()
    const since = performance.now()
    await second.close()
    await joining
    assert.ok(performance.now() - since < 5000, 'within the time that one waits for the broker')
    finish('done')
    await post(pool, '2')
    // The partition is the first one's again, without waiting for the end of a session
    await begun.count(2)
    finish('done')
    await first.close()
    assert.deepEqual([begun.by.map(([, what]) => what), got.by], [['1', '2'], []])
  })

  it('say what is wrong instead of waiting', async () => {
    const options = { groupId: 'g', topic: 'no-such-topic' }
    const nothing: Work = () => Promise.resolve('done')
    await assert.rejects(groupReader(client, options, nothing), {
      code: 'TOPIC_MISSING',
      message: /nexstream provision/
    })
    const away = connectKafka({ brokers: ['127.0.0.1:1'], timeout_ms: 200 })
    await assert.rejects(groupReader(away, options, nothing), { code: 'KAFKA_UNREACHABLE' })
    await away.close()
    const { pool } = await testTopics(['pool'])
    const equals = `equals-${pool}`
    const other = client.membership({ group: equals, name: 'x', onChange: () => undefined })
    await assert.rejects(
      async () => {
        // Until the other one is there, this one may be the first
        for (;;) await (await groupReader(client, { groupId: equals, topic: pool }, nothing)).close()
      },
      { code: 'CONFIG_INVALID', message: /INCONSISTENT_GROUP_PROTOCOL/ }
    )
    await other.close()
  })

  it('give each message once, whatever happens to the topic and whoever comes and goes (seeded)', async () => {
    const [below, early] = [random(20261130), random(1)]
    const { pool } = await testTopics(['pool'])
    const options = { groupId: `change-${pool}`, topic: pool } as const
    const got = new Got()
    const said: string[] = []
    const readers: GroupReader[] = []
    let [sent, partitions, named] = [0, 1, 0]
    const come = async (): Promise<void> => {
      const who = `m${named++}`
      const reader = new GroupReader(client, options, async (message, take) => {
        if (early(2) === 0) await take()
        got.add(who, message)
        return 'done'
      }, (level, text) => void said.push(`${who} ${level} ${text}`)) // prettier-ignore
      readers.push(reader)
      await reader.join()
    }
    const send = async (): Promise<void> => {
      const producer = client.producer({ lingerMs: 0 })
      for (let i = 1 + below(5); i > 0; i--) producer.send({ topic: pool, partition: below(partitions), value: `${sent++}` }) // prettier-ignore
      await producer.close()
    }
    await come()
    for (let round = 0; round < 24; round++) {
      await send()
      const what = below(6)
      if (what < 2 && readers.length < 4) await come()
      else if (what < 4 && readers.length > 1) await readers.splice(below(readers.length), 1)[0]!.close()
      else if (what === 4) {
        await got.count(sent) // What is not read yet would be deleted
        partitions = 1 + below(3)
        await remakeTopic(pool, partitions)
      } else if (partitions < 6) await widenTopic(pool, (partitions += 1 + below(2)))
      await send()
    }
    await got.count(sent)
    await Promise.all(readers.map((reader) => reader.close()))
    const values = got.by.map(([, what]) => Number(what)).sort((a, b) => a - b)
    assert.deepEqual(values, Array.from({ length: sent }, (_, i) => i), said.join('\n')) // prettier-ignore
    assert.ok(said.some((text) => text.includes('made again')) && said.some((text) => text.includes('partitions now')))
  })
})
