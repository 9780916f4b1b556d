// The journal of a pool: a Kafka topic that says who runs which job, so that one that dies with its daemon is run again
// by exactly one other. Its log order decides: of two claims for one attempt the first stands.
import { randomUUID } from 'node:crypto'
import {
  CodedError,
  type Batch,
  type Kafka,
  type LogLevel,
  type Origin,
  type Producer,
  type Reader,
  topicMissing
} from '../../core/api/plugin.js'

/** Where the start command lies. */
export type JournalPlace = Pick<Origin, 'dialect' | 'topic' | 'topicId' | 'replyTopic' | 'timestampMs'> & {
  readonly partition: number
  readonly offset: number
}

/** Undefined for a command that lies in no topic. */
export function placeOf(origin: Origin): JournalPlace | undefined {
  const { dialect, topic, topicId, replyTopic, timestampMs, partition, offset } = origin
  if (partition === undefined || offset === undefined) return undefined
  return { dialect, topic, ...(topicId !== undefined && { topicId }), replyTopic, timestampMs, partition, offset }
}

interface Entry {
  readonly type: 'claim' | 'alive' | 'ended' | 'probe'
  /** Of the process, not of the service: a daemon that came back is another one. */
  readonly instance: string
  readonly service_id: string
  readonly run: string
  readonly job_id: string
  readonly attempt: number
  readonly place: JournalPlace
  /** As a decimal number of ns; null: none; absent: as the command says. */
  readonly stop_ns?: string | null
  /** Kafka time of the command that moved it last, ms: commands for the job are heard after it; absent: none did. */
  readonly heard_ms?: number
  readonly nonce: string
}

/** What the journal says about one accepted start command. */
export interface JobRun {
  readonly key: string
  readonly jobId: string
  readonly place: JournalPlace
  readonly attempt: number
  readonly owner: string
  readonly serviceId: string
  /** Undefined: as the command says. */
  readonly stopNs: bigint | null | undefined
  /** Kafka time of the command that moved it last, ms. */
  readonly heardMs: number | undefined
}
interface Known extends JobRun {
  /** performance.now() when the owner was last heard. */
  heard: number
  /** performance.now() when this daemon began to doubt that the owner lives; null: it does not. The silence of Kafka itself does not count. */
  doubted: number | null
}

export interface JournalEvents {
  /** Another daemon has taken over a job that ran here. */
  lost(run: JobRun): void
  /** A job whose daemon is gone; true: a place is kept for it, claim it. */
  orphaned(run: JobRun): boolean
  /** Another daemon was quicker: the place is free again. */
  released(): void
  /** It is ours now: run it again. */
  adopt(run: JobRun, former: JobRun): void
  log(level: LogLevel, message: string): void
}

export interface JournalOptions {
  readonly topic: string
  /** A daemon that says nothing for so long, and again so long when asked, is gone. */
  readonly leaseMs: number
  readonly serviceId: string
}

export class Journal {
  readonly #instance = randomUUID()
  readonly #runs = new Map<string, Known>()
  readonly #mine = new Map<string, JobRun>()
  /** The last ended ones: a command that Kafka gives out again is not run again. */
  readonly #ended = new Set<string>()
  readonly #waiting = new Map<string, { readonly run: JobRun; readonly settle: (won: boolean) => void }>()
  readonly #producer: Producer
  #reader: Reader | undefined
  #done: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #lastBeat = performance.now()

  readonly #kafka: Kafka
  readonly #options: JournalOptions
  readonly #events: JournalEvents

  constructor(kafka: Kafka, options: JournalOptions, events: JournalEvents) {
    this.#kafka = kafka
    this.#options = options
    this.#events = events

    this.#producer = kafka.producer({ lingerMs: 0 })
  }

  /** Reads what there is, then follows. Throws TOPIC_MISSING or CONFIG_INVALID (the order of one partition decides). */
  async open(): Promise<void> {
    const { topic } = this.#options
    const [info] = await this.#kafka.topics([topic])
    const path = '/services/filewriter/journal_topic'
    if (info === undefined || info.partitions.length === 0) throw topicMissing(`journal topic ${topic}`, path)
    if (info.partitions.length > 1)
      throw new CodedError(
        'CONFIG_INVALID',
        `the journal ${topic} must have one partition, not ${info.partitions.length}`,
        { path }
      )
    const at = async (where: 'earliest' | 'latest'): Promise<number> =>
      (await this.#kafka.offsets(topic, [0], where)).get(0) ?? 0
    const end = await at('latest')
    const offset = await at('earliest')
    const reader = this.#kafka.reader({ assign: [{ topic, partition: 0, offset }], maxWaitMs: 500 })
    this.#reader = reader
    for (let next = offset; next < end;) {
      const batch = await reader.next()
      if (batch === null) return
      next = this.#take(batch)
    }
    this.#done = this.#follow(reader)
    this.#timer = setInterval(() => this.#beat(), this.#options.leaseMs / 3)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#producer.close()
    await this.#reader?.close()
    await this.#done
    for (const { settle } of this.#waiting.values()) settle(false)
    this.#waiting.clear()
  }

  /** First attempt at a command: the run, or undefined when another daemon has it. */
  claim(jobId: string, place: JournalPlace): Promise<JobRun | undefined> {
    const key = keyOf(place)
    const run: JobRun = { ...this.#own(), key, jobId, place, attempt: 1, stopNs: undefined, heardMs: undefined }
    return this.#claim(run)
  }

  /** The stop time moved; said before the answer is, so that it holds for whoever runs the job. */
  async stopAt(run: JobRun, stopNs: bigint | null, heardMs: number): Promise<void> {
    const moved = { ...run, stopNs, heardMs }
    this.#mine.set(run.key, moved)
    this.#send('alive', moved)
    await this.#producer.flush()
  }

  async end(run: JobRun): Promise<void> {
    this.#mine.delete(run.key)
    this.#send('ended', run)
    await this.#producer.flush()
  }

  /** No other daemon has taken it over, as far as is known here. */
  has({ key, attempt }: JobRun): boolean {
    return this.#mine.get(key)?.attempt === attempt
  }

  /** Lets others have the job. */
  forget(run: JobRun): void {
    this.#mine.delete(run.key)
  }

  #own(): Pick<JobRun, 'owner' | 'serviceId'> {
    return { owner: this.#instance, serviceId: this.#options.serviceId }
  }

  async #claim(run: JobRun): Promise<JobRun | undefined> {
    const nonce = randomUUID()
    const won = new Promise<boolean>((settle) => this.#waiting.set(nonce, { run, settle }))
    this.#send('claim', run, nonce)
    return (await won) ? run : undefined
  }

  #send(type: Entry['type'], run: JobRun, nonce = ''): void {
    const { key, jobId, attempt, place, stopNs, heardMs } = run
    const entry: Entry = {
      type,
      instance: this.#instance,
      service_id: this.#options.serviceId,
      run: key,
      job_id: jobId,
      attempt,
      place,
      ...(stopNs !== undefined && { stop_ns: stopNs === null ? null : String(stopNs) }),
      ...(heardMs !== undefined && { heard_ms: heardMs }),
      nonce
    }
    this.#producer.send({ topic: this.#options.topic, partition: 0, key, value: JSON.stringify(entry) }, (error) => {
      if (error === null) return
      this.#events.log('error', `the journal ${this.#options.topic} could not be written: ${error.message}`)
      this.#waiting.get(nonce)?.settle(false)
    })
  }

  async #follow(reader: Reader): Promise<void> {
    for (let batch = await reader.next(); batch !== null; batch = await reader.next()) this.#take(batch)
  }

  #take(batch: Batch): number {
    if (batch.madeAgain !== undefined) this.#sayAgain()
    for (let i = 0; i < batch.count; i++) {
      const entry = entryOf(batch.value(i))
      if (entry !== undefined) this.#apply(entry)
    }
    const { nextOffset } = batch
    batch.release()
    return nextOffset
  }

  /** The journal was made again: what holds is said anew, and what was asked is asked again, in case it went to the old one. */
  #sayAgain(): void {
    this.#events.log('warn', `the journal ${this.#options.topic} was made again`)
    for (const run of this.#mine.values()) this.#send('alive', run)
    for (const [nonce, { run }] of this.#waiting) this.#send('claim', run, nonce)
  }

  #apply(entry: Entry): void {
    const { type, run: key, attempt, instance, nonce } = entry
    const known = this.#runs.get(key)
    if (type === 'claim') return this.#settle(nonce, this.#claimed(entry, known))
    // Asked by somebody: whoever runs it says so
    if (type === 'probe') {
      const mine = this.#mine.get(key)
      if (mine !== undefined) this.#send('alive', mine)
      if (known !== undefined && instance === this.#instance) known.doubted = performance.now()
      return
    }
    if (known !== undefined && (known.owner !== instance || known.attempt !== attempt)) return
    if (type === 'ended') this.#over(key)
    // Also of a run whose claim a compacted topic has lost
    else this.#runs.set(key, knownOf(entry))
  }

  /** Whether the claim stands. */
  #claimed(entry: Entry, known: Known | undefined): boolean {
    if (this.#ended.has(entry.run) || entry.attempt !== (known?.attempt ?? 0) + 1) return false
    const run = knownOf(entry)
    this.#runs.set(entry.run, run)
    const mine = this.#mine.get(entry.run)
    if (entry.instance === this.#instance) this.#mine.set(entry.run, run)
    else if (mine !== undefined) {
      this.#mine.delete(entry.run)
      this.#events.lost(mine)
    }
    return true
  }

  #over(key: string): void {
    this.#runs.delete(key)
    this.#ended.add(key)
    const [oldest] = this.#ended
    if (this.#ended.size > 10_000 && oldest !== undefined) this.#ended.delete(oldest)
  }

  #settle(nonce: string, won: boolean): void {
    this.#waiting.get(nonce)?.settle(won)
    this.#waiting.delete(nonce)
  }

  /** Says that our jobs live, and looks for those of others that do not. */
  #beat(): void {
    for (const run of this.#mine.values()) this.#send('alive', run)
    const now = performance.now()
    // This daemon itself was held up: what the others said meanwhile is not read yet
    const heldUp = now - this.#lastBeat > (this.#options.leaseMs * 2) / 3
    this.#lastBeat = now
    for (const run of this.#runs.values()) {
      if (heldUp) Object.assign(run, { heard: now, doubted: null })
      if (run.owner === this.#instance || now - run.heard < this.#options.leaseMs) continue
      // While Kafka was away nobody was heard: only silence after a question that came through counts
      if (run.doubted === null) {
        run.doubted = Infinity
        this.#send('probe', run)
      } else if (now - run.doubted > this.#options.leaseMs && this.#events.orphaned(run)) {
        run.doubted = Infinity
        void this.#adopt(run)
      }
    }
  }

  async #adopt(former: Known): Promise<void> {
    const run: JobRun = { ...former, ...this.#own(), attempt: former.attempt + 1 }
    const won = await this.#claim(run)
    if (won !== undefined) return this.#events.adopt(won, former)
    former.doubted = null
    this.#events.released()
  }
}

/** With the id of the topic: the first command of one that was made again is another one. */
const keyOf = ({ topic, topicId, partition, offset }: JournalPlace): string =>
  `${topic}${topicId === undefined ? '' : `@${topicId}`}/${partition}/${offset}`

const knownOf = (entry: Entry): Known => ({
  key: entry.run,
  jobId: entry.job_id,
  place: entry.place,
  attempt: entry.attempt,
  owner: entry.instance,
  serviceId: entry.service_id,
  stopNs: entry.stop_ns === undefined ? undefined : entry.stop_ns === null ? null : BigInt(entry.stop_ns),
  heardMs: entry.heard_ms,
  heard: performance.now(),
  doubted: null
})

/** Whatever else lies on the topic is nobody's claim. */
function entryOf(value: Buffer | null): Entry | undefined {
  if (value?.[0] !== 0x7b) return undefined
  try {
    const entry = JSON.parse(value.toString()) as Partial<Entry>
    const { type, run, job_id: id, attempt, instance, place, stop_ns: stop, heard_ms: heard = 0 } = entry
    const known = type === 'claim' || type === 'alive' || type === 'ended' || type === 'probe'
    const texts = [run, id, instance, place?.topic, place?.dialect, place?.replyTopic, place?.topicId ?? ''].every((text) => typeof text === 'string') // prettier-ignore
    const numbers = [attempt, place?.partition, place?.offset, place?.timestampMs, heard].every(Number.isSafeInteger)
    const stopped = stop === undefined || stop === null || /^\d{1,19}$/.test(stop)
    return known && texts && numbers && stopped ? (entry as Entry) : undefined
  } catch {
    return undefined
  }
}
