// Groups of equals on a real Kafka: everyone is told the same.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { kafka } from '../../test/support/kafka.js'
import { connectKafka, type KafkaClient } from './client.js'
import { type Members, type Membership } from '../api/kafka.js'

class Member {
  seen: Members | undefined
  readonly membership: Membership
  readonly #client: KafkaClient
  #changed: (() => void) | undefined

  constructor(brokers: readonly string[], group: string, name: string) {
    this.#client = connectKafka({ brokers: [...brokers] })
    const onChange = (members: Members): void => {
      this.seen = members
      this.#changed?.()
    }
    this.membership = this.#client.membership({ group, name, sessionTimeoutMs: 6000, onChange })
  }

  async until(fits: (members: Members) => boolean): Promise<Members> {
    while (this.seen === undefined || !fits(this.seen)) await new Promise<void>((resolve) => (this.#changed = resolve))
    return this.seen
  }

  async leave(): Promise<void> {
    await this.membership.close()
    await this.#client.close()
  }
}

describe('membership in a group', () => {
  it('tells everyone the same members, one of them the leader, also after comings and goings', async () => {
    const { brokers } = await kafka()
    const group = `equals-${randomBytes(4).toString('hex')}`
    const members = ['c', 'a', 'b'].map((name) => new Member(brokers, group, name))
    try {
      const all = await Promise.all(members.map((member) => member.until(({ names }) => names.length === 3)))
      for (const [i, { names, self }] of all.entries()) assert.deepEqual([names, self], [['a', 'b', 'c'], 'cab'[i]])
      assert.equal(all.filter(({ isLeader }) => isLeader).length, 1)
      assert.equal(new Set(all.map(({ generation }) => generation)).size, 1)
      const leader = all.findIndex(({ isLeader }) => isLeader)
      const [gone] = members.splice(leader, 1)
      await gone!.leave()
      const rest = await Promise.all(members.map((member) => member.until(({ names }) => names.length === 2)))
      assert.equal(rest.filter(({ isLeader }) => isLeader).length, 1)
      assert.deepEqual(rest[0]!.names, rest[1]!.names)
      const twin = new Member(brokers, group, rest[0]!.self)
      members.push(twin)
      const twins = await Promise.all(members.map((member) => member.until(({ names }) => names.length === 3)))
      assert.equal(new Set(twins.map(({ self }) => self)).size, 3, 'members of one name are told apart')
    } finally {
      await Promise.all(members.map((member) => member.leave()))
    }
  })
})
