// Faults of the network between the daemons and their broker, by a proxy: cut, refused, slow, silent.
import { type Fault, moment, pause } from '../fault.js'

export const networkFaults: readonly Fault[] = [
  {
    name: 'net-cut',
    what: 'all connections to the broker are cut one to five times',
    brokers: 1,
    run: async (round) => {
      const { world, job, below, lastsMs } = round
      const times = Array.from({ length: 1 + below(5) }, () => below(lastsMs)).toSorted((a, b) => a - b)
      for (const ms of times) {
        await job.at(ms)
        world.proxy!.cut()
      }
      return `cut ${times.join(', ')} ms after the start`
    }
  },
  {
    name: 'net-away',
    what: 'connections to the broker are cut and refused for up to 10 s',
    brokers: 1,
    stopsMeanwhile: true,
    run: async (round) => {
      const { world, job, below } = round
      const [ms, awayMs] = [moment(round), 200 + below(9800)]
      await job.at(ms)
      await world.proxy!.away()
      await pause(awayMs)
      await world.proxy!.back()
      return `away ${ms} ms after the start for ${awayMs} ms`
    }
  },
  {
    name: 'net-slow',
    what: 'each answer of the broker comes 20 to 320 ms late, one after the other',
    brokers: 1,
    run: async (round) => {
      const { world, job, below, lastsMs } = round
      const [ms, lateMs] = [moment(round), 20 + below(300)]
      await job.at(ms)
      world.proxy!.delay = () => pause(lateMs)
      await job.at(lastsMs)
      world.proxy!.delay = undefined
      return `answers ${lateMs} ms late from ${ms} ms after the start on`
    }
  },
  {
    name: 'net-silent',
    what: 'connections stay open and no answer comes for up to 20 s',
    brokers: 1,
    stopsMeanwhile: true,
    run: async (round) => {
      const { world, job, below } = round
      const [ms, silentMs] = [moment(round), 500 + below(19_500)]
      await job.at(ms)
      const over = pause(silentMs)
      world.proxy!.delay = () => over
      await over
      world.proxy!.delay = undefined
      return `silent ${ms} ms after the start for ${silentMs} ms`
    }
  }
]
