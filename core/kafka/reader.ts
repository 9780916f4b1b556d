// Reads assigned partitions for as long as it is open, whatever the brokers do meanwhile.
import { FetchedBatch, type Lease } from './batch.js'
import { CORRUPT_MESSAGE, OFFSET_OUT_OF_RANGE, isAuthError, isLeaderError } from './broker-errors.js'
import { type Cluster, isPassing, soon, denied } from './cluster.js'
import { PartDecoder, type Usable, usable } from './decode.js'
import { type Desk, type FetchLimits, Fetcher } from './fetcher.js'
import { type LedBy, Leaders } from './leaders.js'
import { BufferPool } from './pool.js'
import { type Position, cutBack, hearEnd, partedBefore, startAgain, startAt } from './position.js'
import { EARLIEST, type FetchedPart, LATEST, api, listOffsetsRequest, listOffsetsResponse } from './protocol.js'
import { RecordIndex, batchEnd } from './record-batch.js'
import { type Batch, type Reader, type ReaderOptions } from '../api/kafka.js'

interface Item {
  readonly position: Position
  readonly generation: number
  /** A finished batch, or a part to be decoded when its turn comes. */
  readonly batch?: FetchedBatch
  readonly found?: Usable
  readonly lease?: Lease
  /** Of the topic of this id on; the end of the old one. */
  readonly again?: { readonly id: string; readonly end: number }
  /** The log goes another way from `next` on; it went up to here before. */
  readonly parted?: { readonly end: number }
  /** Where fetching went on. */
  readonly next: number
  decoder?: PartDecoder
}
type Taken = Batch | null | undefined

const CORRUPT_TRIES = 3
const USELESS_TRIES = 12
/** A restarted broker may be behind for a moment before it is clear that the records are gone. */
const BEYOND_END_TRIES = 12

export class PartitionReader implements Reader, Desk, LedBy {
  readonly limits: FetchLimits
  readonly pool: BufferPool
  heldBytes = 0
  closed = false
  readonly #positions = new Map<string, Position>()
  readonly #fetchers = new Map<number, { fetcher: Fetcher; done: Promise<void> }>()
  readonly #ready: Item[] = []
  readonly #waiting: ((taken: Taken | Error) => void)[] = []
  readonly #spare: RecordIndex[] = []
  readonly #checkCrc: boolean
  readonly #onClose: () => void
  readonly #stop = new AbortController()
  readonly #leaders: Leaders
  #broken: Error | undefined

  constructor(
    readonly cluster: Cluster,
    options: ReaderOptions,
    onClose: () => void
  ) {
    const maxBytes = options.maxBytes ?? 8 << 20
    this.limits = {
      maxBytes,
      minBytes: options.minBytes ?? 1,
      maxWaitMs: options.maxWaitMs ?? 500,
      maxHeldBytes: 3 * maxBytes
    }
    this.pool = new BufferPool(4 * maxBytes, options.shared)
    this.#checkCrc = options.checkCrc ?? cluster.settings.checkCrcs
    this.#onClose = onClose
    this.#leaders = new Leaders(this, this.#stop.signal)
    for (const { topic, partition, offset, topicId } of options.assign)
      this.put(topic, partition, offset, topicId ?? '')
    const { signal } = options
    if (signal?.aborted) void this.close()
    // Forgotten at close: a signal may outlive many readers.
    else signal?.addEventListener('abort', () => void this.close(), { once: true, signal: this.#stop.signal })
    if (this.closed) return
    this.#leaders.find()
    if (options.follow !== undefined && options.follow.length > 0) void this.#leaders.follow(options)
  }

  add(topic: string, partition: number, offset: number, topicId: string): void {
    this.put(topic, partition, offset, topicId)
    this.#leaders.find()
  }

  put(topic: string, partition: number, offset: number, topicId: string): void {
    if (this.position(topic, partition) !== undefined) return
    const { maxBytes } = this.limits
    this.#positions.set(key(topic, partition), startAt({ topic, partition, offset, topicId, maxBytes }))
  }

  next(): Promise<Batch | null> {
    return this.#take(undefined) as Promise<Batch | null>
  }

  poll(timeoutMs: number): Promise<Batch | null | undefined> {
    return this.#take(timeoutMs)
  }

  #take(timeoutMs: number | undefined): Promise<Taken> {
    if (this.#broken) return Promise.reject(this.#broken)
    if (this.closed) return Promise.resolve(null)
    const batch = this.#waiting.length === 0 ? this.#decodeNext() : undefined
    if (batch) return Promise.resolve(batch)
    return new Promise((resolve, reject) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => settle(undefined), timeoutMs)
      const settle = (taken: Taken | Error): void => {
        clearTimeout(timer)
        const at = this.#waiting.indexOf(settle)
        if (at >= 0) this.#waiting.splice(at, 1)
        if (taken instanceof Error) reject(taken)
        else resolve(taken)
      }
      this.#waiting.push(settle)
    })
  }

  seek(topic: string, partition: number, offset: number): void {
    this.#rewind(this.#position(topic, partition), offset)
  }

  pause(topic: string, partition: number): void {
    const position = this.#position(topic, partition)
    if (position.paused) return
    position.paused = true
    this.#rewind(position, position.delivered) // What was fetched ahead would only hold memory
  }

  resume(topic: string, partition: number): void {
    const position = this.#position(topic, partition)
    position.paused = false
    this.#wake(position)
  }

  async close(): Promise<void> {
    if (!this.closed) {
      this.closed = true
      this.#stop.abort()
      for (const item of this.#ready.splice(0)) this.#discard(item)
      for (const settle of [...this.#waiting]) settle(this.#broken ?? null)
      for (const { fetcher } of this.#fetchers.values()) fetcher.close()
      this.#onClose()
    }
    await soon(Promise.all([...[...this.#fetchers.values()].map(({ done }) => done), this.#leaders.ended()]))
    this.pool.clear()
  }

  // ---------------------------------------------------------------- handing out

  /** The next batch that is still wanted; undefined when there is none now. */
  #decodeNext(): Batch | undefined {
    for (let item = this.#ready[0]; item !== undefined; item = this.#ready[0]) {
      const { position } = item
      if (item.generation !== position.generation) {
        this.#ready.shift()
        this.#discard(item)
        continue
      }
      if (item.again) return this.#beginAgain(item, item.again)
      if (item.parted) return this.#part(item, item.parted)
      const result = item.batch ?? this.#decoder(item).next()
      if (result === undefined || item.decoder?.done !== false) {
        this.#ready.shift()
        item.lease?.drop()
      }
      if (result === undefined) continue
      if ('suspect' in result) {
        // Damage on the way is gone at the second look; damage on disk is then skipped.
        this.#rewind(position, result.suspect)
        position.suspect = result.suspect
        continue
      }
      position.delivered = result.nextOffset
      // What came after a damaged batch may have been fetched from the wrong place.
      if (item.decoder?.done && item.decoder.damaged && result.nextOffset !== item.next)
        this.#rewind(position, result.nextOffset)
      return result
    }
    return undefined
  }

  /** All that was fetched of the old topic has been handed out. */
  #beginAgain({ position, next }: Item, { id, end }: NonNullable<Item['again']>): Batch {
    this.#ready.shift()
    const batch = this.#empty(position, next)
    batch.madeAgain = { id, unread: Math.max(0, end - position.delivered) }
    position.delivered = next
    return batch
  }

  /** All that was fetched of what is gone has been handed out. */
  #part({ position, next: at }: Item, { end }: NonNullable<Item['parted']>): Batch {
    this.#ready.shift()
    const { delivered } = position
    position.delivered = Math.min(delivered, at)
    const batch = this.#empty(position, position.delivered)
    batch.truncated = { at, read: Math.max(0, delivered - at), unread: Math.max(0, end - Math.max(delivered, at)) }
    return batch
  }

  #empty({ topic, partition }: Position, next: number, skipped?: Record<string, number>): FetchedBatch {
    return new FetchedBatch(
      { topic, partition, highWatermark: next, nextOffset: next, skipped },
      new RecordIndex(),
      this.#spare,
      undefined
    )
  }

  #decoder(item: Item): PartDecoder {
    const { position, found, lease } = item
    const options = { checkCrc: this.#checkCrc, spare: this.#spare }
    item.decoder ??= new PartDecoder(found!, lease!, position.delivered, position.suspect, options)
    return item.decoder
  }

  #discard(item: Item): void {
    item.batch?.release()
    item.lease?.drop()
  }

  #push(item: Item): void {
    this.#ready.push(item)
    while (this.#waiting.length > 0) {
      const batch = this.#decodeNext()
      if (!batch) return
      this.#waiting[0]!(batch)
    }
  }

  // ---------------------------------------------------------------- positions

  #position(topic: string, partition: number): Position {
    const position = this.position(topic, partition)
    if (!position) throw new Error(`partition ${partition} of ${topic} is not assigned to this reader`)
    return position
  }

  #rewind(position: Position, offset: number): void {
    position.generation++
    position.offset = position.delivered = offset
    position.suspect = undefined
    position.epoch = -1
    let again: Item | undefined
    let parted: Item | undefined
    for (let i = this.#ready.length - 1; i >= 0; i--) {
      if (this.#ready[i]!.position !== position) continue
      const [item] = this.#ready.splice(i, 1) as [Item]
      // Of several the newest counts, and all that was not read of the first
      if (item.again) again = again?.again ? { ...again, again: { id: again.again.id, end: item.again.end } } : item
      if (item.parted) parted = item
      this.#discard(item)
    }
    if (parted && !again) {
      position.offset = Math.min(offset, parted.next)
      this.#ready.push({ ...parted, generation: position.generation })
    }
    if (again) {
      // The offset was of a topic that is gone
      position.offset = again.next
      this.#ready.push({ ...again, generation: position.generation })
    }
    this.#wake(position)
  }

  #wake(position: Position): void {
    this.#fetchers.get(position.leader)?.fetcher.bell.ring()
  }

  position(topic: string, partition: number): Position | undefined {
    return this.#positions.get(key(topic, partition))
  }

  of(topic: string): Position[] {
    return [...this.#positions.values()].filter((position) => position.topic === topic)
  }

  led(leader: number): Position[] {
    return [...this.#positions.values()].filter((position) => position.leader === leader)
  }

  arrived(position: Position, part: FetchedPart, lease: Lease): void {
    if (part.error !== 0) return this.#failed(position, part)
    position.failures = 0
    if (part.diverged >= 0) return this.#truncated(position, part.diverged)
    hearEnd(position, part.end)
    if (part.recordsEnd === part.recordsStart) return
    const found = usable(part, lease.buffer, position.former?.epoch)
    if (found === undefined || found.next <= position.offset) {
      const isWhole = batchEnd(lease.buffer, part.recordsStart, part.recordsEnd) !== undefined
      // Not one whole batch fits: old brokers cut even the first
      if (!isWhole && position.maxBytes < 1 << 30) position.maxBytes *= 2
      // A whole one may have come while the broker answered, behind the end that it names: asked again. Otherwise its header is damaged
      else if (++position.useless > USELESS_TRIES) this.#jump(position, position.offset + 1, 'header')
      return
    }
    position.useless = 0
    const { generation } = position
    const parted = partedBefore(position, found)
    if (parted !== undefined) this.#push({ position, generation, parted, next: found.turn })
    position.offset = found.next
    position.epoch = found.epoch
    // Who got data goes to the end of the line: the first in a request is served first.
    this.#positions.delete(key(position.topic, position.partition))
    this.#positions.set(key(position.topic, position.partition), position)
    lease.hold()
    this.#push({ position, generation, lease, found, next: found.next })
  }

  /** Goes on at `offset` and tells so by a batch without records. */
  #jump(position: Position, offset: number, reason: string, count = 1): void {
    this.#rewind(position, offset)
    const batch = this.#empty(position, offset, { [reason]: count })
    position.failures = position.useless = 0
    this.#push({ position, generation: position.generation, batch, next: offset })
  }

  /** A broker that was behind leads now: its log ends, or goes another way, at `at`. What was fetched is given all the same. */
  #truncated(position: Position, at: number): void {
    const end = cutBack(position, at)
    if (end > at) this.#push({ position, generation: position.generation, parted: { end }, next: at })
  }

  /** Deleted and made again: on with the new one once what was fetched of the old one has been handed out. */
  madeAgain(position: Position, id: string): void {
    const { generation, end } = position
    this.cluster.log('warn', `topic ${position.topic} was made again; its partition ${position.partition} is read anew`)
    startAgain(position, id)
    this.#push({ position, generation, again: { id, end }, next: 0 })
  }

  // ---------------------------------------------------------------- trouble

  #failed(position: Position, part: FetchedPart): void {
    const fetcher = this.#fetchers.get(position.leader)?.fetcher
    fetcher?.postpone(position)
    if (isAuthError(part.error)) this.fatal(denied(`reading ${part.topic}`, part.error, `READ on topic ${part.topic}`))
    else if (part.error === OFFSET_OUT_OF_RANGE) {
      position.epoch = -1 // A broker that knows nothing of the epoch says so, too
      void this.#outOfRange(position)
    } else if (part.error === CORRUPT_MESSAGE && position.failures >= CORRUPT_TRIES)
      this.#jump(position, position.offset + 1, 'corrupt_on_broker')
    else if (isLeaderError(part.error)) this.lost([position])
  }

  /** Deleted by retention: on with the first that is left. Never rejects. */
  async #outOfRange(position: Position): Promise<void> {
    const { topic, topicId, partition, leader, generation, offset } = position
    try {
      const [first, end] = await Promise.all(
        [EARLIEST, LATEST].map(async (time) => {
          const body = listOffsetsRequest(topic, [partition], time)
          const [found] = await this.cluster.ask(leader, api.listOffsets, body, listOffsetsResponse)
          return found?.error === 0 ? found.offset : undefined
        })
      )
      if (first === undefined || end === undefined || this.closed) return
      if (position.generation !== generation || position.topicId !== topicId) return
      if (offset < first) this.#jump(position, first, 'offset_out_of_range', first - offset)
      else if (offset > end && position.failures > BEYOND_END_TRIES) this.#jump(position, end, 'offset_beyond_end')
    } catch (error) {
      if (!isPassing(error)) this.fatal(error as Error)
    }
  }

  lost(positions: readonly Position[]): void {
    for (const position of positions) position.leader = -1
    this.#leaders.find()
  }

  fatal(error: Error): void {
    this.#broken ??= error
    void this.close()
  }

  leads(position: Position, leader: number): void {
    position.leader = leader
    const known = this.#fetchers.get(leader)
    if (known) return known.fetcher.bell.ring()
    const fetcher = new Fetcher(leader, this)
    this.#fetchers.set(leader, { fetcher, done: fetcher.run() })
  }
}

const key = (topic: string, partition: number): string => `${partition}/${topic}`
