import assert from 'node:assert/strict'
import { type Batch } from '../../../core/api/plugin.js'
import { random } from '../../../test/support/random.js'
import { type Glance } from '../structure/route.js'
import { TimeWindow } from '../structure/window.js'
import { Settle } from './settle.js'

const SECOND = 1000
const minute = 60 * SECOND
const hour = 60 * minute
const t0 = Date.UTC(2026, 0)
const SIZE = 100

interface Message {
  readonly source: string
  readonly atMs: number
  readonly kafkaMs: number
}
type Messages = readonly Message[]

/** Only what is looked at. */
const batchOf = (messages: Messages): Batch =>
  ({
    count: messages.length,
    valueStart: () => 0,
    valueEnd: () => SIZE,
    timestampMs: (i: number) => messages[i]!.kafkaMs
  }) as unknown as Batch
const routeOf = (messages: Messages) => ({
  glance: (_: Batch, i: number): Glance => {
    const { source, atMs } = messages[i]!
    return { source, timeNs: BigInt(atMs) * 1_000_000n, wanted: true }
  }
})

/** Reads a log as a job does, in batches that are cut at random; gives the offset where it leaves off. */
function readUntilSettled(log: Messages, startMs: number, stopMs: number, next: (below: number) => number) {
  const window = new TimeWindow(BigInt(startMs) * 1_000_000n, BigInt(stopMs) * 1_000_000n)
  const settle = new Settle(window, 10 * SIZE, 1e12)
  const byTime = log.findIndex(({ kafkaMs }) => kafkaMs > stopMs + 5 * SECOND)
  const past = new Map<string, boolean>()
  for (let at = 0; at < log.length;) {
    const end = Math.min(log.length, at + 1 + next(50))
    const part = log.slice(at, end)
    for (const { source, atMs } of part) past.set(source, past.get(source) === true || atMs > stopMs)
    if (byTime >= 0 && end > byTime) settle.hear(batchOf(part), routeOf(part))
    at = end
    const allPast = [...past.values()].every(Boolean)
    if (byTime >= 0 && at >= byTime && settle.isSettled(allPast)) return { at, settle }
  }
  return { at: log.length, settle }
}

/** Producers that send steadily, each with clocks of its own, in the order in which their messages arrive. */
function makeLog(next: (below: number) => number): Message[] {
  const log: (Message & { readonly arrivesMs: number })[] = []
  const producers = 1 + next(4)
  for (let n = 0; n < producers; n++) {
    const everyMs = 500 + next(4000)
    const ownMs = next(2) === 0 ? 0 : next(2 * hour) - hour
    const kafkaMs = next(2) === 0 ? ownMs : next(8 * minute) - 4 * minute + ownMs
    const wild = next(3) === 0 ? 0 : next(80) / 1000
    // Sent in lumps
    const lumpMs = next(2) === 0 ? 1 : 1 + next(45 * SECOND)
    for (let time = t0 + next(everyMs); time < t0 + 6 * hour; time += everyMs) {
      const stray = next(1000) < wild * 1000 ? next(4 * hour) - 2 * hour : 0
      const arrivesMs = Math.ceil(time / lumpMs) * lumpMs
      log.push({ source: `p${n}`, arrivesMs, atMs: time + ownMs, kafkaMs: time + kafkaMs + stray }) // prettier-ignore
    }
  }
  return log.sort((a, b) => a.arrivesMs - b.arrivesMs)
}

describe('the end of a window in the past', () => {
  it('is never found before its last message, whatever the clocks and however batches are cut', () => {
    let left = 0
    let total = 0
    for (let seed = 1; seed <= 100; seed++) {
      const next = random(seed)
      const log = makeLog(next)
      const startMs = t0 + 2 * hour + next(hour)
      const stopMs = startMs + next(30 * minute)
      const { at } = readUntilSettled(log, startMs, stopMs, next)
      const isLost = ({ atMs }: Message): boolean => atMs >= startMs && atMs <= stopMs
      assert.equal(log.slice(at).filter(isLost).length, 0, `seed ${seed}: left off at ${at} of ${log.length}`)
      left += log.length - at
      total += log.length
    }
    // And it is found: not all is read each time
    assert.ok(left > total / 5, `${left} of ${total} were not read`)
  })

  const steady = (n: number, change: (i: number) => Partial<Message> = () => ({})): Message[] =>
    Array.from({ length: n }, (_, i) => {
      const atMs = t0 + i * SECOND
      return { source: 'p', atMs, kafkaMs: atMs, ...change(i) }
    })

  it('is the end of the log where Kafka has other times than the messages', () => {
    const log = steady(20_000, (i) => ({ kafkaMs: t0 + 90 * 24 * hour + i }))
    const { at, settle } = readUntilSettled(log, t0 + 100 * SECOND, t0 + 200 * SECOND, random(1))
    assert.deepEqual([at, settle.isStrange], [log.length, true])
  })

  it('is not put off by values that are sent again and again with their old times', () => {
    const log = steady(20_000, (i) => (i % 2 === 0 ? { source: 'old', atMs: t0 - hour } : {}))
    const { at } = readUntilSettled(log, t0, t0 + 200 * SECOND, random(1))
    assert.ok(at < 5000, String(at))
  })

  it('waits longer for a stream that has fallen silent', () => {
    const [startMs, stopMs] = [t0, t0 + 100 * SECOND]
    const rare = steady(20_000, (i) => (i === 50 ? { source: 'rare' } : {}))
    const [a, b] = [steady(20_000), rare].map((log) => readUntilSettled(log, startMs, stopMs, random(1)).at)
    assert.ok(a! < 700 && b! > 1800 && b! < 4000, `${a} ${b}`)
  })

  it('is in doubt when too much comes between', () => {
    const window = new TimeWindow(BigInt(t0) * 1_000_000n, BigInt(t0 + SECOND) * 1_000_000n)
    const settle = new Settle(window, SIZE, 50 * SIZE)
    // A replay of the days before
    const log = steady(100, (i) => ({ atMs: t0 - 48 * hour + i, kafkaMs: t0 - 48 * hour + i }))
    settle.hear(batchOf(log), routeOf(log))
    assert.deepEqual([settle.isSettled(true), settle.isTooMuch], [false, true])
  })
})
