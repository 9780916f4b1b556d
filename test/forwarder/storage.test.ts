// The topic that keeps the list of streams is deleted and made again under running daemons: the list is written there anew.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type Daemon, loadConfig, startDaemon } from '../../core/main.js'
import { decodeList } from '../../plugins/service-forwarder/storage.js'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'
import { remakeTopic } from '../support/topics.js'

type Topics = Readonly<Record<'commands' | 'status' | 'keep' | 'values', string>>

describe('forwarder whose storage topic is made again', function () {
  this.timeout(120_000)
  const daemons = new Map<string, Daemon>()
  let control: Control | undefined

  afterEach(async () => {
    await Promise.all([...daemons.values()].map((daemon) => daemon.stop('test over')))
    daemons.clear()
    await control?.close()
  })

  async function run(topics: Topics, id: string, forwarder: object): Promise<void> {
    const { brokers } = await kafka()
    const flags = {
      'daemon.service_id': id,
      'kafka.brokers': JSON.stringify(brokers),
      'commands.topic': topics.commands,
      'status.topic': topics.status,
      'log.level': 'error',
      services: JSON.stringify({ forwarder: { storage_topic: topics.keep, default_protocol: 'sim', ...forwarder } })
    }
    const loaded = loadConfig({ flags })
    assert.deepEqual(loaded.findings, [])
    daemons.set(id, await startDaemon(loaded, () => undefined))
  }
  const channelsOf = async (id: string): Promise<unknown[]> => {
    const { result } = await control!.send({ cmd: 'status', service: 'forwarder', service_id: id })
    return (result as { channels: { channel: string }[] }).channels.map(({ channel }) => channel).toSorted()
  }

  for (const [what, members] of [
    ['alone', ['x']],
    ['a group', ['x', 'y']]
  ] as const)
    it(`writes the list into the new one, once, and a daemon that starts later finds it there: ${what}`, async () => {
      const { brokers } = await kafka()
      const topics = await testTopics(['commands', 'status', 'keep', 'values'])
      control = await Control.open(brokers, topics.commands, [topics.status])
      const group = members.length === 1 ? {} : { group: `group-${randomBytes(4).toString('hex')}` }
      const more = members.length === 1 ? {} : { ...group, group_session_ms: 6000, handover_ms: 500 }
      for (const id of members) await run(topics, id, more)
      const streams = ['sim:a', 'sim:b'].map((channel) => ({ channel, converter: 'f144', topic: topics.values }))
      assert.equal((await control.send({ cmd: 'start', service: 'forwarder', streams }))['response'], 'ACK')
      await remakeTopic(topics.keep)
      const reader = control.kafka.reader({ assign: [{ topic: topics.keep, partition: 0, offset: 0 }] })
      const batch = await reader.next()
      const lists = Array.from({ length: batch?.count ?? 0 }, (_, i) => decodeList(batch!.value(i)!))
      batch?.release()
      await reader.close()
      assert.deepEqual(lists.map((list) => list.streams.length), [2]) // prettier-ignore
      for (const daemon of daemons.values()) await daemon.stop('test over')
      daemons.clear()
      assert.deepEqual((await control.kafka.offsets(topics.keep, [0], 'latest')).get(0), 1, 'written once')
      await run(topics, 'later', more)
      assert.deepEqual(await channelsOf('later'), ['sim:a', 'sim:b'])
    })
})
