// Faults of where data come from: IOCs killed, frozen, of another type; the forwarder killed; wrong clocks of a producer.
import { type Fault, moment, pause, type Round } from '../fault.js'

/** The clock of the producer is wrong by `offMs` for a while in the midst of the job. */
async function wrongClock(round: Round, offMs: number, which: 'clockMs' | 'kafkaClockMs'): Promise<string> {
  const { world, job, below, lastsMs } = round
  const [ms, forMs] = [below(lastsMs >> 1), below(lastsMs >> 1)]
  await job.at(ms)
  world.numbers[which] = offMs
  await job.at(ms + forMs)
  world.numbers[which] = 0
  return `off by ${offMs} ms from ${ms} ms after the start for ${forMs} ms`
}

/** Even: see `Numbers`. */
const anHour = (below: (n: number) => number): number => 60_000 + 2 * below(1_770_000)

async function iocAgain(round: Round, another: boolean): Promise<string> {
  const { world, job, below } = round
  const [ms, awayMs] = [moment(round), below(3000)]
  await job.at(ms)
  await world.pvs.ioc.kill9()
  await pause(awayMs)
  await world.pvs.restart(another)
  return `killed ${ms} ms after the start, started again after ${awayMs} ms`
}

export const sourceFaults: readonly Fault[] = [
  {
    name: 'ioc-kill',
    what: 'the IOC is killed (SIGKILL) and started again: its counters begin anew',
    brokers: 1,
    run: (round) => iocAgain(round, false)
  },
  {
    name: 'ioc-type',
    what: 'the IOC is killed and started again with PVs of another type',
    brokers: 1,
    run: (round) => iocAgain(round, true),
    clear: async (world) => {
      await world.pvs.ioc.kill9()
      await world.pvs.restart(false)
      await world.pvs.reached(Date.now())
    }
  },
  {
    name: 'ioc-freeze',
    what: 'the IOC is stopped (SIGSTOP) for up to 40 s, and goes on',
    brokers: 1,
    run: async (round) => {
      const { world, job, below } = round
      const [ms, frozenMs] = [moment(round), 500 + below(39_500)]
      await job.at(ms)
      world.pvs.ioc.freeze()
      await pause(frozenMs)
      world.pvs.ioc.thaw()
      return `frozen ${ms} ms after the start for ${frozenMs} ms`
    }
  },
  {
    name: 'forwarder-kill',
    what: 'the forwarder is killed (SIGKILL) and started again',
    brokers: 1,
    run: async (round) => {
      const { world, job, below } = round
      const [ms, awayMs] = [moment(round), below(3000)]
      await job.at(ms)
      await world.daemons.kill9('forwarder')
      await pause(awayMs)
      await world.daemons.start('forwarder')
      return `killed ${ms} ms after the start, started again after ${awayMs} ms`
    }
  },
  {
    name: 'clock-behind',
    what: 'the clock of the producer is 1 to 60 min behind for a while',
    brokers: 1,
    run: (round) => wrongClock(round, -anHour(round.below), 'clockMs'),
    clear: (world) => world.renewNumbers()
  },
  {
    name: 'clock-ahead',
    what: 'the clock of the producer is 1 to 60 min ahead for a while',
    brokers: 1,
    run: (round) => wrongClock(round, anHour(round.below), 'clockMs'),
    clear: (world) => world.renewNumbers()
  },
  {
    name: 'clock-kafka',
    what: 'the times of Kafka are 1 to 60 min off for a while, those in the messages are right',
    brokers: 1,
    run: (round) => wrongClock(round, anHour(round.below) * (round.below(2) === 0 ? 1 : -1), 'kafkaClockMs'),
    clear: (world) => world.renewNumbers()
  }
]
