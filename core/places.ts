// Where reading a whole topic begins, and what the end of a command topic at the daemon's start means for older commands.
import { CodedError } from './api/errors.js'
import { type Command, type Kafka, type Place, type Reply } from './api/plugin.js'
import { refusal } from './dispatcher.js'

/** In all partitions; empty when there is no such topic. Rejects as `Kafka.offsets` does. */
export async function placesOf(
  kafka: Kafka,
  topic: string,
  from: 'latest' | 'earliest' | { timestampMs: number }
): Promise<Place[]> {
  const [info] = await kafka.topics([topic])
  if (info === undefined || info.partitions.length === 0) return []
  const offsets = await kafka.offsets(topic, info.partitions, from)
  const id = info.id === undefined ? {} : { topicId: info.id }
  return [...offsets].map(([partition, offset]) => ({ topic, partition, offset, ...id }))
}

/** Kafka's clock and ours may differ by this much. */
const CLOCK_DOUBT_MS = 60_000

interface CommandPlace {
  readonly partition: number
  readonly offset: number
  readonly topicId?: string | undefined
  readonly timestampMs: number
}

/** Where command topics ended before anything was started. */
export class CommandMarks {
  readonly #ends = new Map<string, readonly Place[]>()
  /** Service and job of the starts that are older than this daemon. */
  readonly #replayed = new Set<string>()
  readonly #openedMs = Date.now()

  constructor(readonly kafka: Kafka) {}

  async set(topic: string): Promise<void> {
    const ends = await placesOf(this.kafka, topic, 'latest')
    if (ends.length > 0) this.#ends.set(topic, ends) // Without partitions opening it will complain
  }

  of(topic: string): readonly Place[] | undefined {
    return this.#ends.get(topic)
  }

  /** By its offset, as clocks differ; a topic that was made again begins anew. */
  isBefore(topic: string, { partition, offset, topicId, timestampMs }: CommandPlace): boolean {
    const end = this.#ends.get(topic)?.find((place) => place.partition === partition)
    return end?.topicId === topicId && offset < (end?.offset ?? 0) && timestampMs <= this.#openedMs + CLOCK_DOUBT_MS
  }

  /**
   * The refusal of an old command that would end something: what was said before this daemon began (`from = "earliest"`
   * reads it again) is not meant for it, but for what a command as old has started, which was carried out again, too.
   */
  tooLate({ cmd, service = '', job_id: id }: Command): Reply | undefined {
    const what = JSON.stringify([service, id])
    if (cmd === 'start') this.#replayed.add(what)
    if (cmd !== 'exit' && (cmd !== 'stop' || this.#replayed.has(what))) return undefined
    return refusal(new CodedError('COMMAND_FAILED', `${cmd} is older than the start of this daemon: not carried out`))
  }
}
