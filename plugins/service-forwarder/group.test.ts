// Several forwarders with one list on an in-memory Kafka: who forwards, who answers, how lists come together.
import assert from 'node:assert/strict'
import { type Command, type Reply } from '../../core/api/plugin.js'
import { carryOut } from '../../test/support/carry-out.js'
import { commands } from './commands/index.js'
import { MemoryKafka } from '../../test/support/memory-kafka.js'
import { forwarder, running, stopAll, stream, until } from '../../test/support/forwarder/forwarder.js'

const names = Array.from({ length: 30 }, (_, i) => `PV${i}`)
const group = { group: 'equals', storage_topic: 'keep', handover_ms: 50, connection_schema: 'none' }
type Member = Awaited<ReturnType<typeof forwarder>>

/** Every member hears every command of the one command topic. */
class Topic {
  #offset = 0
  readonly members: Member[] = []

  async send(cmd: string, keys: Record<string, unknown>, to: readonly Member[] = this.members): Promise<Reply[]> {
    const origin = { dialect: 'json', topic: 'commands', partition: 0, offset: this.#offset++, timestampMs: 0, replyTopic: 'answers' } // prettier-ignore
    const command: Command = { cmd, service: 'forwarder', ...keys }
    const replies = await Promise.all(
      to.map(({ service }) => carryOut(commands, service, structuredClone(command), origin))
    )
    return replies.filter(({ silent }) => silent !== true)
  }
}

describe('service-forwarder: group', () => {
  const topic = new Topic()
  let kafka: MemoryKafka

  beforeEach(() => {
    kafka = new MemoryKafka('a', 'b', 'keep', 'answers')
    topic.members.length = 0
  })
  afterEach(() => stopAll())

  const join = async (serviceId: string, options: Record<string, unknown> = {}): Promise<Member> => {
    const member = await forwarder({ ...group, ...options }, kafka, serviceId)
    topic.members.push(member)
    return member
  }
  const open = (): string[][] => topic.members.map(({ source }) => [...source.open.keys()])
  const whole = (): boolean => open().flat().toSorted().join() === names.toSorted().join()

  it('gives each channel to one member and has each command answered once', async () => {
    for (const id of ['x', 'y', 'z']) await join(id)
    const replies = await topic.send('start', { streams: names.map((name) => stream(name)) })
    assert.equal(replies.length, 1)
    assert.equal((replies[0]!.result as { added: number }).added, names.length)
    assert.ok(whole())
    assert.ok(open().every((mine) => mine.length > 0))
    const addressed = await topic.send('status', { service_id: 'z' }, [topic.members[2]!])
    const { group: shown } = addressed[0]!.result as { group: { members: string[]; self: string; leader: boolean } }
    assert.deepEqual([shown.members, shown.self, shown.leader], [['x', 'y', 'z'], 'z', false])
  })

  it('moves channels when a member comes or goes, without a gap', async () => {
    await join('x')
    await topic.send('start', { streams: names.map((name) => stream(name)) })
    const [x] = topic.members
    const y = await join('y')
    assert.equal(x!.source.open.size, names.length, 'kept until the other has them')
    await until(whole)
    const moved = [...y.source.open.keys()]
    assert.ok(moved.length > 0 && moved.length < names.length)
    const stopped = y.service.stop()
    running.splice(running.indexOf(y.service), 1)
    assert.equal(x!.source.open.size, names.length)
    assert.equal(y.source.open.size, moved.length, 'goes on until the others have them')
    await stopped
    assert.equal(y.source.open.size, 0)
  })

  it('brings a member that missed commands to the list of the others, in order', async () => {
    await join('x')
    await join('y')
    const [x, y] = topic.members
    await topic.send('start', { streams: names.slice(0, 20).map((name) => stream(name)) }, [x!])
    await topic.send('start', { streams: names.slice(20).map((name) => stream(name)) }, [x!])
    await until(() => y!.service.snapshot()['streams'] === names.length)
    assert.ok(whole())
    // The first of the two commands comes late: the list holds it already, and what came after it
    await topic.send('stop', { all: true }, [x!])
    await until(() => y!.service.snapshot()['streams'] === 0)
    const late = { dialect: 'json', topic: 'commands', partition: 0, offset: 1, timestampMs: 0, replyTopic: '' }
    const command = { cmd: 'start', service: 'forwarder', streams: names.map((name) => stream(name)) }
    await carryOut(commands, y!.service, command, late)
    assert.equal(y!.service.snapshot()['streams'], 0)
  })

  it('takes a list over also while Kafka cannot tell whether its topics exist', async () => {
    const [x, y] = [await join('x'), await join('y')]
    const topics = kafka.topics.bind(kafka)
    let looks = 0
    kafka.topics = (names) => (looks++ === 0 ? topics(names) : Promise.reject(new Error('away')))
    await topic.send('start', { streams: names.map((name) => stream(name)) }, [x])
    await until(() => y.service.snapshot()['streams'] === names.length)
    await until(whole)
    assert.ok(looks > 1)
  })

  it('keeps streams of one named converter together', async () => {
    for (const id of ['x', 'y', 'z']) await join(id)
    const converter = { schema: 'f142', name: 'shared' }
    await topic.send('start', { streams: names.map((name) => stream(name, { converter })) })
    assert.deepEqual(
      open()
        .map((mine) => mine.length)
        .toSorted((a, b) => a - b),
      [0, 0, names.length]
    )
  })

  it('answers what a leader that died left without an answer, and nothing twice', async () => {
    for (const id of ['x', 'y', 'z']) await join(id)
    const [x, ...others] = topic.members
    // The leader hears the first command and answers, and none of the others
    const [answer] = await topic.send('start', { streams: [stream('PV1')], msg_id: 'one' })
    assert.ok(answer !== undefined)
    kafka.append({ topic: 'answers', value: 'not of ours' })
    kafka.append({ topic: 'answers', value: JSON.stringify({ msg_id: 'one', response: 'ACK' }) })
    assert.deepEqual(await topic.send('start', { streams: [stream('PV2')], msg_id: 'two' }, others), [])
    assert.deepEqual(await topic.send('start', { streams: [stream('PV3', { topic: 'no' })], msg_id: 'three' }, others), []) // prettier-ignore
    const gone = x!.service.stop()
    running.splice(running.indexOf(x!.service), 1)
    const [y, z] = others
    await until(() => y!.context.answers.length === 2)
    assert.deepEqual(
      y!.context.answers.map(({ command, reply }) => [command.msg_id, reply.response, reply.silent]),
      [
        ['two', 'ACK', undefined],
        ['three', 'ERR', undefined]
      ]
    )
    assert.equal((await topic.send('stop', { all: true }, others)).length, 1)
    await gone
    assert.equal(z!.context.answers.length, 0)
  })

  it('does not answer again, after standing still, what another leader has answered meanwhile', async () => {
    const x = await join('x', { group_session_ms: 60_000 })
    const now = performance.now.bind(performance)
    performance.now = () => now() + 100_000
    try {
      kafka.append({ topic: 'answers', value: JSON.stringify({ msg_id: 'one', response: 'ACK' }) })
      assert.deepEqual(await topic.send('start', { streams: [stream('PV1')], msg_id: 'one' }), [])
      assert.deepEqual(await topic.send('start', { streams: [stream('PV2')], msg_id: 'two' }), [])
      await until(() => x.context.answers.length > 0)
    } finally {
      performance.now = now
    }
    assert.deepEqual(
      x.context.answers.map(({ command }) => command.msg_id),
      ['two']
    )
  })

  it('needs a storage topic', async () => {
    await assert.rejects(join('x', { storage_format: 'fc00' }), { code: 'CONFIG_INVALID' })
  })
})

describe('service-forwarder: missing topics', () => {
  afterEach(() => stopAll())

  it('has streams of the config wait for their topic', async () => {
    const kafka = new MemoryKafka('a')
    const f = await forwarder({ streams: [stream('PV1'), stream('PV2', { topic: 'late' })] }, kafka)
    assert.deepEqual([f.source.opened, f.service.snapshot()['missing_topics']], [['PV1'], ['late']])
    assert.match(
      f.context.logs.find(({ level }) => level === 'warn')?.message ?? '',
      /topic late does not exist; .*: 1 streams/
    )
    kafka.addTopic('late')
    await f.run('start', { streams: [stream('PV3', { topic: 'late' })] })
    assert.deepEqual(f.source.opened, ['PV1', 'PV2', 'PV3'])
    assert.equal(f.service.snapshot()['missing_topics'], undefined)
  })
})
