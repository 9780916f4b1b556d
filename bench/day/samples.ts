// What a daemon holds, minute by minute, and whether that grows.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { loadavg } from 'node:os'
import { memory } from '../forwarder/usage.js'
import { type Held } from './probe.js'

export interface Sample extends Held {
  readonly minute: number
  readonly rssMb: number
  /** Open file descriptors, and how many of them are sockets. */
  readonly fds: number
  readonly sockets: number
  readonly threads: number
  readonly handleCount: number
  readonly load: number
}

/** Asks the probe in the daemon and /proc. */
export async function sampleOf(pid: number, probe: string, minute: number): Promise<Sample> {
  const held = await ask(probe)
  const targets = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      return [] // Closed meanwhile
    }
  })
  return {
    ...held,
    minute,
    rssMb: memory(pid).rssMb,
    fds: targets.length,
    sockets: targets.filter((target) => target.startsWith('socket:')).length,
    threads: Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]),
    handleCount: Object.values(held.handles).reduce((sum, count) => sum + count, 0),
    load: loadavg()[0]!
  }
}

async function ask(probe: string): Promise<Held> {
  const chunks: Buffer[] = []
  for await (const chunk of connect(probe)) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString()) as Held
}

interface Measure {
  readonly name: string
  readonly of: (sample: Sample) => number
  /** Growth over the time that is judged which is still called flat. */
  readonly limit: number
}

const measures: readonly Measure[] = [
  {
    name: 'resident memory less the young generations, MB',
    of: ({ rssMb, youngMb, threadYoungMb }) => rssMb - youngMb - threadYoungMb,
    limit: 20
  },
  { name: 'heap after a collection, MB', of: ({ heapMb }) => heapMb, limit: 3 },
  { name: 'external, MB', of: ({ externalMb }) => externalMb, limit: 5 },
  { name: 'array buffers, MB', of: ({ arrayBuffersMb }) => arrayBuffersMb, limit: 5 },
  { name: 'heap of the other threads, MB', of: ({ threadHeapMb }) => threadHeapMb, limit: 5 },
  { name: 'external of the other threads, MB', of: ({ threadExternalMb }) => threadExternalMb, limit: 5 },
  { name: 'file descriptors', of: ({ fds }) => fds, limit: 2 },
  { name: 'sockets', of: ({ sockets }) => sockets, limit: 2 },
  { name: 'threads', of: ({ threads }) => threads, limit: 1 },
  { name: 'libuv handles', of: ({ handleCount }) => handleCount, limit: 2 }
]

export interface Trend {
  readonly name: string
  readonly first: number
  readonly last: number
  readonly least: number
  readonly most: number
  /** Of the straight line through the last three quarters, from their begin to their end. */
  readonly growth: number
  readonly limit: number
  readonly flat: boolean
}

const round = (value: number): number => Math.round(value * 100) / 100

/** The first quarter is warming up; the others are judged. */
export function trends(samples: readonly Sample[]): Trend[] {
  const judged = samples.slice(Math.floor(samples.length / 4))
  return measures.map(({ name, of, limit }) => {
    const values = judged.map(of)
    const growth = slope(judged.map(({ minute }) => minute), values) * (judged.at(-1)!.minute - judged[0]!.minute) // prettier-ignore
    return {
      name,
      first: round(values[0]!),
      last: round(values.at(-1)!),
      least: round(Math.min(...values)),
      most: round(Math.max(...values)),
      growth: round(growth),
      limit,
      flat: growth <= limit
    }
  })
}

/** Least squares. */
function slope(x: readonly number[], y: readonly number[]): number {
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length
  const [meanX, meanY] = [mean(x), mean(y)]
  const spread = x.reduce((sum, value) => sum + (value - meanX) ** 2, 0)
  return spread === 0 ? 0 : x.reduce((sum, value, i) => sum + (value - meanX) * (y[i]! - meanY), 0) / spread
}
