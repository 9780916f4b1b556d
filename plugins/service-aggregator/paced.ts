// Several partitions as one stream: what is read of one that is ahead waits for those that are behind, in the order of Kafka's times.
import { type Batch } from '../../core/api/plugin.js'

interface Message {
  readonly timestampMs: number
  readonly value: Buffer | null
}

/** What has come of one partition and waits, in memory of its own: a reader stops when too many of its buffers are kept. */
class PacedLane {
  #messages: Message[] = []
  /** The next one. */
  #at = 0
  bytes = 0
  isPaused = false

  /** @param next - offset of what comes next @param end - as far as is known, more is there up to here */
  constructor(
    public next: number,
    public end: number
  ) {}

  get head(): Message | undefined {
    return this.#messages[this.#at]
  }
  /** More is there and has not come: what is later in other partitions waits. */
  get isBehind(): boolean {
    return this.head === undefined && this.next < this.end
  }

  push(message: Message): void {
    this.#messages.push(message)
    this.bytes += sizeOf(message)
  }

  shift(): Message | undefined {
    const message = this.head
    if (message === undefined) return undefined
    this.bytes -= sizeOf(message)
    if (++this.#at < this.#messages.length) return message
    this.#messages = []
    this.#at = 0
    return message
  }
}

/** With what a message costs beside its content. */
const sizeOf = ({ value }: Message): number => 100 + (value?.length ?? 0)

export interface PacedOptions {
  /** Bytes of one partition that wait, before no more of it is read. */
  readonly mostBytes: number
  readonly pause: (partition: number) => void
  readonly resume: (partition: number) => void
  readonly take: (value: Buffer | null) => void
}

export class PacedPartitions {
  readonly #lanes = new Map<number, PacedLane>()
  readonly #options: PacedOptions

  constructor(options: PacedOptions) {
    this.#options = options
  }

  get partitions(): number[] {
    return [...this.#lanes.keys()]
  }
  /** Something waits for what another partition has. */
  get isHeld(): boolean {
    const lanes = [...this.#lanes.values()]
    return lanes.some((lane) => lane.isBehind) && lanes.some(({ head }) => head !== undefined)
  }

  /** A partition is read from `next` on, and has messages up to `end`. */
  begin(partition: number, next: number, end: number): void {
    if (!this.#lanes.has(partition)) this.#lanes.set(partition, new PacedLane(next, end))
  }

  /** What there is in Kafka by now. */
  know(ends: ReadonlyMap<number, number>): void {
    for (const [partition, end] of ends) {
      const lane = this.#lanes.get(partition)
      if (lane !== undefined) lane.end = end
    }
  }

  /** What is behind does not come: the others go on without it. */
  giveUp(): void {
    for (const lane of this.#lanes.values()) lane.end = Math.min(lane.end, lane.next)
    this.handOn()
  }

  /** Hands on what need not wait, without a copy where nothing does; the batch may be released then. */
  push(batch: Batch): void {
    const { partition, nextOffset, highWatermark, count } = batch
    this.begin(partition, nextOffset, highWatermark)
    const lane = this.#lanes.get(partition)!
    lane.next = nextOffset
    lane.end = highWatermark
    const nothingWaits = [...this.#lanes.values()].every((one) => one === lane || (one.head === undefined && !one.isBehind)) // prettier-ignore
    if (nothingWaits && lane.head === undefined) {
      for (let i = 0; i < count; i++) this.#options.take(batch.value(i))
      return
    }
    for (let i = 0; i < count; i++) {
      const value = batch.value(i)
      lane.push({ timestampMs: batch.timestampMs(i), value: value === null ? null : Buffer.from(value) })
    }
    this.handOn()
    if (lane.isPaused || lane.bytes < this.#options.mostBytes) return
    lane.isPaused = true
    this.#options.pause(partition)
  }

  /** The earliest first, as long as it is known which that is. */
  handOn(): void {
    const lanes = [...this.#lanes]
    while (!lanes.some(([, lane]) => lane.isBehind)) {
      let first: readonly [number, PacedLane] | undefined
      for (const one of lanes)
        if (one[1].head !== undefined && (first === undefined || one[1].head.timestampMs < (first[1].head?.timestampMs ?? 0))) first = one // prettier-ignore
      if (first === undefined) return
      const [partition, lane] = first
      this.#options.take(lane.shift()?.value ?? null)
      if (!lane.isPaused || lane.bytes > this.#options.mostBytes / 2) continue
      lane.isPaused = false
      this.#options.resume(partition)
    }
  }
}
