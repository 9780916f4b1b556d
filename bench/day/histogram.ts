// Live histograms of the detector, the whole day long, and one more for each file: is every event in them, each in its bin?
import { type Kafka, type Reader } from '../../core/api/plugin.js'
import { connectKafka } from '../../core/kafka/client.js'
import { histogramCodec } from '../../plugins/converter-histograms/codec.js'
import { schemaId } from '../../schemas/index.js'
import { type Control } from '../../test/support/control.js'
import { type EventSender, ID_END, LATE_MS } from './ledger.js'

const BINS = 1000
const PATIENCE_MS = 900_000
const codec = histogramCodec('hs01')

interface Info {
  readonly id: string
  readonly state: string
  readonly sum: number
}

interface Sum {
  readonly id: string
  readonly sum: number
}

const sumOf = (cells: readonly number[]): number => cells.reduce((sum, n) => sum + n, 0)

/** Begun before the detector sends; everything on its topic counts. */
export class Histograms {
  readonly #reader: Reader
  readonly #kafka: Kafka
  readonly #done: Promise<void>
  readonly #last = new Map<string, number>()
  #final: { readonly cells: readonly number[]; readonly info: Info } | undefined
  #heard: () => void = () => undefined
  messages = 0
  /** What was wrong, one line each. */
  readonly troubles: string[] = []

  constructor(
    readonly control: Control,
    brokers: readonly string[],
    readonly data: string,
    readonly topic: string
  ) {
    this.#kafka = connectKafka({ brokers: [...brokers] })
    this.#reader = this.#kafka.reader({ assign: [{ topic, partition: 0, offset: 0 }], maxWaitMs: 100 })
    this.#done = this.#listen()
  }

  async start(): Promise<void> {
    const plane = { kind: 'tof_pixel', det_range: [0, ID_END], num_bins: 100 }
    const histograms = [
      this.#histogram({ id: 'day' }),
      this.#histogram({ id: 'plane', ...plane }),
      this.#histogram({ id: 'minute', show: 'last', last_s: 60 })
    ]
    await this.#command({ cmd: 'start', job_id: 'day', histograms })
  }

  /** Counts one window and holds the end of the job against what was sent. */
  async count(name: string, startMs: number, stopMs: number, events: EventSender): Promise<void> {
    const id = `histogram-${name}`
    const window = { start_time: startMs, stop_time: stopMs }
    await this.#command({ cmd: 'start', job_id: id, histograms: [this.#histogram({ id })], ...window })
    const [counted] = await this.#end(id, stopMs - Date.now() + PATIENCE_MS)
    const sums = events.sumsWithin(startMs, stopMs)
    const least = sums.findLast(([ackedMs]) => ackedMs <= stopMs + LATE_MS)?.[1] ?? 0
    const sum = counted?.sum ?? -1
    if (sum < least || (sum !== 0 && !sums.some((one) => one[1] === sum)))
      throw new Error(`${id} counted ${sum} events, ${least} were there in time, ${sums.at(-1)?.[1] ?? 0} at last`)
    this.#last.delete(id)
  }

  /** Ends the day's: all that was sent is in them, bin by bin. */
  async finish(events: EventSender): Promise<void> {
    await this.#command({ cmd: 'stop', job_id: 'day' })
    const sums = await this.#end('day', PATIENCE_MS)
    const sent = events.bins(BINS)
    for (const { id, sum } of sums)
      if (id !== 'minute' && sum !== sumOf(sent)) this.troubles.push(`${id} counted ${sum} of ${sumOf(sent)} events`)
    const heard = new Promise<void>((resolve) => (this.#heard = resolve))
    const timer = setTimeout(() => this.#heard(), PATIENCE_MS)
    if (this.#final === undefined) await heard
    clearTimeout(timer)
    if (this.#final?.cells.join() !== sent.join()) this.troubles.push('the last histogram of the day is not what was sent') // prettier-ignore
  }

  get counted(): number {
    return this.#last.get('day') ?? 0
  }

  async close(): Promise<void> {
    await this.#reader.close()
    await this.#done
    await this.#kafka.close()
  }

  #histogram(keys: object): object {
    return { kind: 'tof', data_topic: this.data, topic: this.topic, tof_range: [0, ID_END], num_bins: BINS, ...keys }
  }

  async #command(command: object): Promise<void> {
    const { response, message } = await this.control.send({ service: 'histogram', ...command }, PATIENCE_MS)
    if (response !== 'ACK') throw new Error(`refused: ${String(message)}`)
  }

  async #end(id: string, patienceMs: number): Promise<readonly Sum[]> {
    const done = await this.control.json(
      ({ event, job_id: job }) => event === 'histogram_done' && job === id,
      `the end of ${id}`,
      patienceMs
    )
    const { histograms, losses } = done['report'] as { histograms: readonly Sum[]; losses: object }
    if (done['error_encountered'] === true) throw new Error(String(done['message']))
    const lost = Object.keys(losses).filter((reason) => reason !== 'before_window' && reason !== 'after_window')
    if (lost.length > 0) throw new Error(`${id}: ${JSON.stringify(losses)}`)
    return histograms
  }

  async #listen(): Promise<void> {
    for (let batch = await this.#reader.next(); batch !== null; batch = await this.#reader.next()) {
      for (let i = 0; i < batch.count; i++) {
        const message = batch.value(i)
        if (message === null || schemaId(message) !== 'hs01') this.troubles.push(`offset ${batch.offset(i)}: no hs01`)
        else this.#note(message)
      }
      batch.release()
    }
  }

  /** Counts are those that its own words say, and never fewer than before. */
  #note(message: Uint8Array): void {
    const record = codec.decode(message)
    const info = JSON.parse(record.info ?? '{}') as Info
    const { bytes, length } = record.data
    const cells = Array.from(new BigInt64Array(bytes.slice().buffer, 0, length), Number)
    this.messages++
    if (sumOf(cells) !== info.sum) this.troubles.push(`${info.id} says ${info.sum} and has ${sumOf(cells)}`)
    if (info.id === 'minute') return
    const before = this.#last.get(info.id) ?? 0
    if (info.sum < before) this.troubles.push(`${info.id} fell from ${before} to ${info.sum}`)
    this.#last.set(info.id, info.sum)
    if (info.id !== 'day' || info.state !== 'FINISHED') return
    this.#final = { cells, info }
    this.#heard()
  }
}
