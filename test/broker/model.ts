// What a test knows of topics: every message that was ever in them, where it lies and what became of it.

export const BASE_MS = Date.now() - 20 * 60_000

export interface Transaction {
  readonly producer: string
  readonly incarnation: Incarnation
  state: 'open' | 'committed' | 'aborted' | 'gone'
}

export interface Message {
  /** Also its value in the file. */
  readonly id: number
  readonly kind: 'log' | 'events' | 'tombstone' | 'other'
  readonly timeNs: bigint
  readonly key: string | null
  /** As latin1. */
  readonly value: string | null
  readonly partition: PartitionModel
  readonly transaction: Transaction | undefined
  offset: number
  /** Wall time at which the broker had acknowledged it, and its transaction. */
  ackedMs: number
}

export class PartitionModel {
  readonly messages: Message[] = []
  /** Offsets below are deleted, by order or by age. */
  logStart = 0

  constructor(
    readonly incarnation: Incarnation,
    readonly number: number
  ) {}

  get end(): number {
    return this.messages.reduce((end, { offset }) => Math.max(end, offset + 1), 0)
  }
  /** What lies behind is not read. */
  get firstOpen(): number {
    const open = this.messages.filter(({ transaction }) => transaction?.state === 'open')
    return Math.min(Infinity, ...open.map(({ offset }) => offset))
  }

  /** A later one of the same key takes its place when Kafka compacts the topic. */
  isSuperseded(message: Message): boolean {
    return this.messages.some((other) => other.key === message.key && other.offset > message.offset && isGood(other))
  }
}

export class Incarnation {
  readonly partitions: PartitionModel[] = []
  id = ''
  isGone = false

  constructor(
    readonly topic: TopicModel,
    partitions: number
  ) {
    this.widen(partitions)
  }
  widen(count: number): void {
    while (this.partitions.length < count) this.partitions.push(new PartitionModel(this, this.partitions.length))
  }
}

export class TopicModel {
  readonly incarnations: Incarnation[] = []
  readonly transactions: Transaction[] = []
  appendTime = false
  /** Wall time up to which the last transaction that ended may still be taken to be open. */
  openUntilMs = 0

  constructor(
    readonly name: string,
    readonly label: string,
    readonly isCompacted: boolean
  ) {}

  get hasOpen(): boolean {
    return this.transactions.some(({ state }) => state === 'open')
  }
  get now(): Incarnation {
    return this.incarnations.at(-1)!
  }
  get messages(): Message[] {
    return this.incarnations.flatMap(({ partitions }) => partitions.flatMap(({ messages }) => messages))
  }
}

/** Readers of what is committed get it. */
export const isGood = ({ transaction }: Message): boolean =>
  transaction === undefined || transaction.state === 'committed'
export const isData = ({ kind }: Message): boolean => kind === 'log' || kind === 'events'

/** In Kafka now, for good, and in front of what is open. */
export const isReadable = (message: Message): boolean => {
  const { partition, offset } = message
  const { incarnation, logStart, firstOpen } = partition
  if (incarnation.isGone || offset < logStart || offset >= firstOpen || !isGood(message)) return false
  return !incarnation.topic.isCompacted || !partition.isSuperseded(message)
}
