// PVs that count at 10 Hz, a forwarder daemon that sends them to Kafka, and what of them has arrived there.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Kafka, type Reader } from '../../core/api/plugin.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { schemaId } from '../../schemas/index.js'
import { type Ioc, startIoc } from '../support/ioc.js'
import { until } from '../support/forwarder/live.js'

export const CHANNELS = ['C:0', 'P:0'] as const
const record = (name: string, type: string, more = ''): string =>
  `record(${type}, "${name}") { field(CALC, "VAL+1") field(SCAN, ".1 second") field(PINI, "YES") ${more} }`
const counters = CHANNELS.map((name) => record(name, 'calc')).join('\n')
/** The same names, of another type: integers of 64 bits. */
const others = CHANNELS.map((name) =>
  [
    record(`${name}:N`, 'calc', `field(FLNK, "${name}")`),
    `record(int64in, "${name}") { field(INP, "${name}:N") field(PINI, "YES") }`
  ].join('\n')
).join('\n')

export interface Arrived {
  readonly channel: string
  /** Of connection messages: none. */
  readonly value: number | undefined
  readonly timeNs: bigint
  readonly offset: number
  readonly kafkaMs: number
}

export class Pvs {
  /** In the order of the topic. */
  readonly arrived: Arrived[] = []
  readonly #done: Promise<void>

  private constructor(
    readonly ioc: Ioc,
    readonly topic: string,
    readonly reader: Reader,
    readonly database: string
  ) {
    this.#done = this.#follow()
  }

  /** The counters run, and everything on the topic is heard from its beginning. */
  static async open(kafka: Kafka, topic: string, folder: string): Promise<Pvs> {
    const database = join(folder, 'counters.db')
    writeFileSync(database, counters)
    const ioc = await startIoc({ kind: 'qsrv2', db: database })
    return new Pvs(ioc, topic, kafka.reader({ assign: [{ topic, partition: 0, offset: 0 }], maxWaitMs: 100 }), database)
  }

  /** What a daemon needs in its config to forward them. */
  get config(): Readonly<Record<string, unknown>> {
    const { caAddress, pvaAddress } = this.ioc
    const quick = { auto_addr_list: false, max_search_period_s: 1 }
    const options = { ca: { addr_list: [caAddress], ...quick }, pva: { addr_list: [pvaAddress], ...quick } }
    // With a long queue a server that is held up keeps values which it would else merge, without a word
    const longQueue = { protocol: 'pva', source_options: { queue_size: 100 } }
    const streams = CHANNELS.map((channel) => ({
      ...{ channel, ...(channel.startsWith('C') ? { protocol: 'ca' } : longQueue) },
      ...{ converter: 'f144', topic: this.topic, lossless: true }
    }))
    return { plugins: [{ use: 'source-epics', options }], services: { forwarder: { streams } } }
  }

  /** Starts the server again, with its records of the same or another type. */
  async restart(another: boolean): Promise<void> {
    writeFileSync(this.database, another ? others : counters)
    await this.ioc.restart()
  }

  /** Resolves when each channel has a value of this time or later on the topic: what came before is there. */
  async reached(ms: number): Promise<void> {
    const ns = BigInt(ms) * 1_000_000n
    const late = (channel: string): boolean =>
      this.arrived.findLastIndex((one) => one.channel === channel && one.value !== undefined && one.timeNs >= ns) >= 0
    await until(() => CHANNELS.every(late), 300_000)
  }

  /** Values of a channel in the window, by their times, after the last one before it; each time once. */
  expected(channel: string, startMs: number, stopMs: number): bigint[] {
    const [startNs, stopNs] = [BigInt(startMs) * 1_000_000n, BigInt(stopMs) * 1_000_000n]
    const times = [...new Set(this.#values(channel).map(({ timeNs }) => timeNs))]
    const before = times.filter((ns) => ns < startNs).reduce((last, ns) => (ns > last ? ns : last), 0n)
    const within = times.filter((ns) => ns >= startNs && ns <= stopNs)
    return before === 0n ? within : [before, ...within]
  }

  /** Gaps in the count of a channel: those that a connection message on the topic tells of, and values missing without a word. */
  gaps(channel: string): { named: number; missing: number } {
    let [last, told, named, missing] = [undefined as number | undefined, false, 0, 0]
    for (const { channel: of, value } of this.arrived) {
      if (of !== channel) continue
      if (value === undefined) told = true
      else {
        const whole = last === undefined || value === last || value === last + 1
        if (!whole && told) named++
        else if (!whole) missing += value > last! ? value - last! - 1 : 1
        last = value
        told = false
      }
    }
    return { named, missing }
  }

  /** What no job will ask for any more; the newest value of each channel stays. */
  forget(): void {
    const newest = CHANNELS.flatMap((channel) => this.#values(channel).slice(-1))
    this.arrived.splice(0, this.arrived.length, ...newest)
  }

  async close(): Promise<void> {
    await this.reader.close()
    await this.#done
    await this.ioc.stop()
  }

  #values(channel: string): Arrived[] {
    return this.arrived.filter((one) => one.channel === channel && one.value !== undefined)
  }

  async #follow(): Promise<void> {
    for (let batch = await this.reader.next(); batch !== null; batch = await this.reader.next()) {
      for (let i = 0; i < batch.count; i++) {
        const message = Buffer.from(batch.value(i) ?? [])
        const channel = String(batch.key(i))
        const place = { channel, offset: batch.offset(i), kafkaMs: batch.timestampMs(i) }
        if (schemaId(message) === 'ep01') this.arrived.push({ ...place, value: undefined, timeNs: 0n })
        if (schemaId(message) !== 'f144') continue
        const { value, timestampNs } = logF144.decode(message)
        this.arrived.push({ ...place, value: Number(value), timeNs: timestampNs })
      }
      batch.release()
    }
  }
}
