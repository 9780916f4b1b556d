// Faults of Kafka: killed, frozen and restarted brokers, leaders that move, all brokers away.
import { type Admin } from 'kafkajs'
import { until } from '../../support/forwarder/live.js'
import { withAdmin } from '../../support/topics.js'
import { type Fault, moment, pause, type Round } from '../fault.js'
import { type World } from '../world.js'

const all = ['pool', 'control', 'status', 'commands', 'journal', 'values', 'events', 'pvs'] as const

type Partition = Awaited<ReturnType<Admin['fetchTopicMetadata']>>['topics'][number]['partitions'][number]

async function partitionsOf(admin: Admin, topics: readonly string[]): Promise<Map<string, Partition[]>> {
  const found = await admin.fetchTopicMetadata({ topics: [...topics] })
  return new Map(found.topics.map(({ name, partitions }) => [name, partitions]))
}

/** All replicas are in step again: the next fault finds a whole cluster. */
async function whole(world: World): Promise<void> {
  const topics = all.map((name) => world.topics[name])
  const isWhole = ({ leader, isr, replicas }: Partition): boolean =>
    leader > 0 && isr.length === world.brokers && replicas.length === world.brokers
  await until(async () => {
    try {
      const found = await withAdmin((admin) => partitionsOf(admin, topics), world.kafka.brokers)
      return [...found.values()].flat().every(isWhole)
    } catch {
      return false
    }
  }, 400_000)
}

/** Every partition of the topics gets another leader: the replicas without the present one, then all again. */
async function moveLeaders(world: World, topics: readonly string[]): Promise<void> {
  await withAdmin(async (admin) => {
    const found = await partitionsOf(admin, topics)
    const assign = (replicasOf: (one: Partition) => number[]): Promise<unknown> =>
      admin.alterPartitionReassignments({
        topics: [...found].map(([topic, partitions]) => ({
          topic,
          partitionAssignment: partitions.map((one) => ({ partition: one.partitionId, replicas: replicasOf(one) }))
        }))
      })
    const others = ({ leader, replicas }: Partition): number[] => replicas.filter((id) => id !== leader)
    await assign(others)
    await until(async () => {
      const now = await partitionsOf(admin, topics)
      const moved = (topic: string, { partitionId, leader }: Partition): boolean => {
        const one = now.get(topic)?.find((other) => other.partitionId === partitionId)
        return one !== undefined && one.leader > 0 && one.leader !== leader
      }
      return [...found].every(([topic, list]) => list.every((one) => moved(topic, one)))
    }, 200_000)
    await assign((one) => [...others(one), one.leader])
  }, world.kafka.brokers)
}

/** Random faults of one broker after the other. */
async function again(round: Round): Promise<string> {
  const { world, job, below } = round
  const said: string[] = []
  await job.at(moment(round))
  round.events = 5 + below(6)
  for (let i = 0; i < round.events; i++) {
    const [kind, index, ms, one] = [below(12), below(3), below(6000), below(2 * all.length)]
    if (kind < 6) {
      await world.kafka.freeze(index)
      await pause(ms)
      await world.kafka.thaw(index)
      said.push(`${index + 1} frozen for ${ms} ms`)
    } else if (kind < 11) {
      await moveLeaders(world, one < all.length ? [world.topics[all[one]!]] : all.map((name) => world.topics[name]))
      said.push(`leaders of ${all[one] ?? 'all'} moved`)
    } else {
      await world.kafka.kill9(index)
      await world.kafka.restart(index)
      said.push(`${index + 1} killed`)
    }
    await whole(world)
  }
  return said.join(', ')
}

export const brokerFaults: readonly Fault[] = [
  {
    name: 'broker-kill',
    what: 'one of three brokers is killed (SIGKILL) and started again',
    brokers: 3,
    run: async (round) => {
      const { world, job, below } = round
      const [ms, index, awayMs] = [moment(round), below(3), below(6000)]
      await job.at(ms)
      await world.kafka.kill9(index)
      await pause(awayMs)
      await world.kafka.restart(index)
      await whole(world)
      return `broker ${index + 1} killed ${ms} ms after the start, started again after ${awayMs} ms`
    }
  },
  {
    name: 'broker-freeze',
    what: 'one of three brokers is stopped (SIGSTOP) for up to 10 s, and goes on',
    brokers: 3,
    run: async (round) => {
      const { world, job, below } = round
      const [ms, index, frozenMs] = [moment(round), below(3), 200 + below(9800)]
      await job.at(ms)
      await world.kafka.freeze(index)
      await pause(frozenMs)
      await world.kafka.thaw(index)
      await whole(world)
      return `broker ${index + 1} frozen ${ms} ms after the start for ${frozenMs} ms`
    }
  },
  {
    name: 'leader-move',
    what: 'the leaders of all topics, or of one, move to other brokers of three',
    brokers: 3,
    run: async (round) => {
      const { world, job, below } = round
      const [ms, one] = [moment(round), below(2 * all.length)]
      const moved = one < all.length ? [all[one]!] : all
      await job.at(ms)
      const topics = moved.map((name) => world.topics[name])
      await moveLeaders(world, topics)
      await whole(world)
      return `leaders of ${moved.length === 1 ? moved[0] : 'all topics'} moved ${ms} ms after the start`
    }
  },
  {
    name: 'broker-again',
    what: 'five to ten times one after the other: one of three brokers is frozen for up to 6 s, or leaders move, or seldom one is killed',
    brokers: 3,
    run: again
  },
  {
    name: 'brokers-away',
    what: 'all three brokers are killed at once and started again',
    brokers: 3,
    run: async (round) => {
      const { world, job, below } = round
      const [ms, awayMs] = [moment(round), below(6000)]
      await job.at(ms)
      await Promise.all([0, 1, 2].map((index) => world.kafka.kill9(index)))
      await pause(awayMs)
      await Promise.all([0, 1, 2].map((index) => world.kafka.restart(index)))
      await whole(world)
      return `all killed ${ms} ms after the start, started again after ${awayMs} ms`
    }
  },
  {
    name: 'broker-alone',
    what: 'the only broker is killed and started again, or stopped (SIGSTOP), for up to 10 s',
    brokers: 1,
    run: async (round) => {
      const { world, job, below } = round
      const [ms, kind, awayMs] = [moment(round), below(2), below(10_000)]
      await job.at(ms)
      if (kind === 0) await world.kafka.kill9(0)
      else await world.kafka.freeze(0)
      await pause(awayMs)
      if (kind === 0) await world.kafka.restart(0)
      else await world.kafka.thaw(0)
      return `${kind === 0 ? 'killed' : 'frozen'} ${ms} ms after the start for ${awayMs} ms`
    }
  }
]
