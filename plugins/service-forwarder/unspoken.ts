// Answers that the leader of the group gives: kept by the others for a while, in case it died before it could.
import { type Command, type Kafka, type Origin, type Reply, type ServiceContext } from '../../core/api/plugin.js'

interface Kept {
  readonly command: Command
  readonly origin: Origin
  readonly reply: Reply
  readonly atMs: number
}

const MAX_KEPT = 200

export class Unspoken {
  #kept: Kept[] = []

  constructor(
    readonly context: ServiceContext,
    /** Longer than a death can stay unnoticed. */
    readonly keepMs: number
  ) {}

  /** A command was carried out here; the leader answers. */
  keep(command: Command, origin: Origin, reply: Reply): void {
    const now = performance.now()
    this.#kept = this.#kept.filter(({ atMs }) => now - atMs < this.keepMs).slice(1 - MAX_KEPT)
    this.#kept.push({ command, origin, reply, atMs: now })
  }

  /** This daemon leads from now on: gives the answers that nobody has given. Never rejects. */
  async speak(): Promise<void> {
    const now = performance.now()
    const kept = this.#kept.filter(({ atMs }) => now - atMs < this.keepMs)
    this.#kept = []
    for (const topic of new Set(kept.map(({ origin }) => origin.replyTopic))) {
      const mine = kept.filter(({ origin }) => origin.replyTopic === topic)
      const given = await this.#given(topic, mine)
      for (const { command, origin, reply } of mine)
        if (command.msg_id === undefined || !given.has(command.msg_id)) this.context.answer(command, origin, reply)
    }
  }

  /** Names of commands that have an answer on the topic. Those without a name may be answered twice. */
  async #given(topic: string, kept: readonly Kept[]): Promise<ReadonlySet<string>> {
    const wanted = new Set(kept.flatMap(({ command }) => command.msg_id ?? []))
    if (wanted.size === 0) return wanted
    const sinceMs = Math.min(...kept.map(({ origin }) => origin.timestampMs))
    try {
      return await answered(this.context.kafka, topic, sinceMs, wanted)
    } catch (error) {
      this.context.log(
        'warn',
        `answers on ${topic} cannot be read, some may be given twice: ${(error as Error).message}`
      )
      return new Set()
    }
  }
}

/** Which of these commands have an answer on the topic since a time. */
async function answered(
  kafka: Kafka,
  topic: string,
  sinceMs: number,
  wanted: ReadonlySet<string>
): Promise<Set<string>> {
  const [info] = await kafka.topics([topic])
  const partitions = info?.partitions ?? []
  const [starts, ends] = [
    await kafka.offsets(topic, partitions, { timestampMs: sinceMs }),
    await kafka.offsets(topic, partitions, 'latest')
  ]
  const open = new Map([...ends].filter(([partition, end]) => (starts.get(partition) ?? end) < end))
  const found = new Set<string>()
  if (open.size === 0) return found
  const assign = [...open.keys()].map((partition) => ({ topic, partition, offset: starts.get(partition)! }))
  const reader = kafka.reader({ assign })
  try {
    while (open.size > 0) {
      const batch = await reader.next()
      if (batch === null) break
      for (let i = 0; i < batch.count; i++) {
        const name = answeredBy(batch.value(i))
        if (name !== undefined && wanted.has(name)) found.add(name)
      }
      const over = batch.madeAgain !== undefined || batch.nextOffset >= (open.get(batch.partition) ?? 0)
      if (over) open.delete(batch.partition)
      batch.release()
    }
  } finally {
    await reader.close()
  }
  return found
}

/** The name of the command that a message answers; undefined when it is no answer. */
function answeredBy(value: Buffer | null): string | undefined {
  if (value?.[0] !== 0x7b || !value.includes('"response"')) return undefined
  try {
    const { msg_id: name, response } = JSON.parse(value.toString()) as { msg_id?: unknown; response?: unknown }
    return typeof name === 'string' && typeof response === 'string' ? name : undefined
  } catch {
    return undefined // Others may write what they like there
  }
}
