// The topics of a running daemon change under it: commands are heard all the same.
import assert from 'node:assert/strict'
import { type Daemon, loadConfig, startDaemon } from '../../core/main.js'
import { connectKafka, type KafkaClient } from '../../core/kafka/client.js'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'
import { remakeTopic, widenTopic } from '../support/topics.js'

describe('daemon whose command topic changes', function () {
  this.timeout(120_000)
  let client: KafkaClient
  let daemon: Daemon | undefined
  let control: Control
  let topics: Record<'commands' | 'status', string>

  before(async () => {
    const { brokers } = await kafka()
    client = connectKafka({ brokers })
    topics = await testTopics(['commands', 'status'])
    const flags = {
      'kafka.brokers': JSON.stringify(brokers),
      'commands.topic': topics.commands,
      'status.topic': topics.status,
      'log.level': 'error'
    }
    control = await Control.open(brokers, topics.commands, [topics.status])
    daemon = await startDaemon(loadConfig({ flags }), () => undefined)
  })
  after(async () => {
    await daemon?.stop('test over')
    await control?.close()
    await client?.close()
  })

  async function ask(id: string, partition = 0): Promise<void> {
    const producer = client.producer({ lingerMs: 0 })
    producer.send({ topic: topics.commands, partition, value: JSON.stringify({ cmd: 'jobs', msg_id: id }) })
    await producer.close()
  }
  const answers = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) await control.json((json) => json['msg_id'] === id, `an answer to ${id}`)
    const answered = control.said.flatMap(({ json }) => (json?.['msg_id'] === undefined ? [] : [json['msg_id']]))
    assert.deepEqual(answered.toSorted(), ids.toSorted(), 'each answered once')
  }

  it('answers in partitions that are added, and from the first command of a topic that is made again', async () => {
    const ids = ['one', 'two']
    for (const id of ids) await ask(id)
    await answers(ids)
    await widenTopic(topics.commands, 3)
    for (const partition of [2, 0, 1]) await ask(`wide${partition}`, partition)
    ids.push('wide0', 'wide1', 'wide2')
    await answers(ids)
    await remakeTopic(topics.commands, 2)
    for (const partition of [0, 1]) await ask(`again${partition}`, partition)
    ids.push('again0', 'again1')
    await answers(ids)
  })
})
