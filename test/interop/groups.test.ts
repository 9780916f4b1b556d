// Consumer groups of several clients: members of ours beside those of librdkafka (the C++ file writer) and Java come, go and die.
// NEXSTREAM_GROUP_ROUNDS and NEXSTREAM_SEED: more of it.
import assert from 'node:assert/strict'
import { type KafkaClient, connectKafka } from '../../core/kafka/client.js'
import { kafka, testTopics } from '../support/kafka.js'
import { random } from '../support/random.js'
import { type Kind, type Member, Members } from './group-members.js'

const rounds = Number(process.env['NEXSTREAM_GROUP_ROUNDS'] ?? 12)
const seed = Number(process.env['NEXSTREAM_SEED'] ?? 20261130)

describe('groups of several clients', function () {
  this.timeout(120_000 + rounds * 30_000)
  let client: KafkaClient
  let brokers: string[]
  let members: Members
  before(async () => {
    ;({ brokers } = await kafka())
    client = connectKafka({ brokers })
  })
  afterEach(() => members?.close())
  after(() => client?.close())

  async function open(partitions: number): Promise<void> {
    const { pool } = await testTopics(['pool'], { partitions })
    members = new Members(client, brokers, `group-${pool}`, pool)
  }
  async function come(kind: Kind): Promise<Member> {
    const member = await members.start(kind)
    await members.until(`${member.name} joins`, () => member.joined)
    return member
  }
  async function go(member: Member): Promise<void> {
    member.process.kill('SIGTERM')
    await member.ended
    // Java runs its end and says all the same that it was the signal
    assert.equal(member.process.exitCode, member.kind === 'java' ? 143 : 0, member.log.join('\n'))
  }

  it(`take each command once, whoever comes, goes and dies (seed ${seed})`, async () => {
    await open(3)
    const below = random(seed)
    const pick = <T>(items: readonly T[]): T => items[below(items.length)]!
    let posted = 0
    const post = (): Promise<void> =>
      members.post(
        Array.from({ length: 1 + below(6) }, () => `c${posted++}`),
        () => below(3)
      )
    await come('librdkafka')
    await come('ours')
    for (let round = 0; round < rounds; round++) {
      await post()
      const { living } = members
      // One that was told to leave and is told again dies of it
      const staying = living.filter(({ joined, process }) => joined && !process.killed)
      const kind = pick<Kind>(['ours', 'librdkafka', 'java'])
      // Half of them while others still come or go
      if (living.length < 2 || staying.length === 0 || (living.length < 5 && below(2) === 0))
        if (below(2) === 0) await come(kind)
        else await members.start(kind)
      else if (below(4) === 0) pick(living).process.kill('SIGKILL')
      else if (below(2) === 0) await go(pick(staying))
      else pick(staying).process.kill('SIGTERM')
      await post()
    }
    if (!members.living.some(({ kind, process }) => kind === 'ours' && !process.killed)) await come('ours')
    await members.allTaken()
  })
})
