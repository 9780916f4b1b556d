// Sends queued batches to the leaders: one in flight per partition, the same batch again until it is acknowledged.
import { CodedError } from '../api/errors.js'
import { type BatchBuilder, type Stamp, addSequence } from './batch-builder.js'
import {
  DUPLICATE_SEQUENCE,
  INVALID_TIMESTAMP,
  MESSAGE_TOO_LARGE,
  RECORD_LIST_TOO_LARGE,
  errorName,
  isAuthError,
  isFinalError,
  isLeaderError,
  isProducerStateError,
  isRecordError
} from './broker-errors.js'
import { type Cluster, BrokerError, backoffMs, denied, expectOk, isPassing, pause, soon } from './cluster.js'
import { type Codec } from './codecs.js'
import { type Connection, ConnectionLost, parse } from './connection.js'
import {
  api,
  initProducerIdRequest,
  initProducerIdResponse,
  produceRequest,
  produceResponse,
  type ProduceResult
} from './protocol.js'

/** The queue of one partition. */
export interface Lane {
  readonly topic: string
  readonly partition: number
  readonly queue: BatchBuilder[]
  /** -1: to be found out. */
  leader: number
  busy: boolean
  failures: number
  notBeforeMs: number
  /** Stamp of the next new batch. */
  next: Stamp | undefined
}

/** The broker said nothing of a batch. */
const noResult = { error: -1, offset: -1, refused: [], message: null }

/** What a sender needs of its producer. */
export interface Office {
  readonly cluster: Cluster
  readonly codec: Codec
  readonly requestTimeoutMs: number
  /** How long an answer is waited for. */
  readonly answerMs: number
  delivered(lane: Lane, offset: number): void
  lost(lane: Lane, error: Error): void
  split(lane: Lane): void
  /** These records of the first batch are lost, the others of it are to be sent again. */
  refused(lane: Lane, records: ReadonlySet<number>, error: Error): void
  /** Something changed: look for what can be sent. */
  wake(): void
}

export class Sender {
  readonly #connections = new Map<number, Promise<Connection>>()
  readonly #stop = new AbortController()
  #identity: Promise<Stamp> | undefined
  #current: Stamp | undefined

  constructor(readonly office: Office) {}

  /** Sends the first batch of each lane, all led by `leader`. Never rejects. */
  async send(leader: number, lanes: readonly Lane[]): Promise<void> {
    const { codec, requestTimeoutMs, answerMs } = this.office
    const heads = lanes.map((lane) => lane.queue[0]!)
    for (const lane of lanes) lane.busy = true
    for (const head of heads) head.closed = true
    try {
      this.#current = await this.#producerId()
      const batches = lanes.map((lane) => {
        const bytes = lane.queue[0]!.wire(codec, this.#stamp(lane, this.#current!))
        return { topic: lane.topic, partition: lane.partition, bytes }
      })
      const connection = await this.#connect(leader)
      const body = produceRequest(batches, requestTimeoutMs)
      const response = await connection.request(api.produce, body, answerMs)
      const results = parse(response, produceResponse)
      lanes.forEach((lane, i) => {
        const result = results.find((r) => r.partition === lane.partition && r.topic === lane.topic)
        if (lane.queue[0] === heads[i]) this.#settle(lane, result ?? noResult)
      })
    } catch (error) {
      await this.#drop(leader)
      // A head that has changed was given up meanwhile.
      const mine = lanes.filter((lane, i) => lane.queue[0] === heads[i])
      for (const lane of mine)
        if (isPassing(error)) this.#again(lane, true)
        else this.office.lost(lane, error as Error)
    }
    for (const lane of lanes) lane.busy = false
    this.office.wake()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await soon(Promise.all([...this.#connections.keys()].map((leader) => this.#drop(leader))))
  }

  /** Pauses as long as attempt `n` asks for, or until closed. */
  async pause(n: number): Promise<void> {
    await pause(backoffMs(n), this.#stop.signal)
  }

  async #connect(leader: number): Promise<Connection> {
    const before = this.#connections.get(leader)
    const known = await before
    if (known?.open && known.expiresMs > Date.now()) return known
    if (this.#stop.signal.aborted) throw new ConnectionLost('the producer is closed')
    if (this.#connections.get(leader) !== before) return this.#connect(leader)
    const opening = this.office.cluster.connect(leader)
    this.#connections.set(leader, opening)
    if (known) this.office.cluster.retire(known)
    return opening
  }

  async #drop(leader: number): Promise<void> {
    const opening = this.#connections.get(leader)
    this.#connections.delete(leader)
    const connection = await opening?.catch(() => undefined)
    connection?.close()
  }

  /** The producer id is asked for once, and again when a broker has forgotten it. */
  #producerId(): Promise<Stamp> {
    this.#identity ??= this.#askProducerId().catch((error: unknown) => {
      this.#identity = undefined
      throw error
    })
    return this.#identity
  }

  async #askProducerId(): Promise<Stamp> {
    const { cluster } = this.office
    const { brokers } = await cluster.metadata([])
    const [any] = brokers
    if (!any) throw new BrokerError(15, 'InitProducerId')
    const body = initProducerIdRequest()
    const { error, producerId, epoch } = await cluster.ask(any.id, api.initProducerId, body, initProducerIdResponse)
    expectOk(error, 'InitProducerId', null, 'IDEMPOTENT_WRITE on the cluster, or WRITE on a topic')
    return { producerId, epoch, sequence: 0 }
  }

  /** A batch keeps its stamp for all attempts. */
  #stamp(lane: Lane, identity: Stamp): Stamp {
    const batch = lane.queue[0]!
    if (batch.stamp) return batch.stamp
    const next = lane.next?.producerId === identity.producerId ? lane.next : identity
    lane.next = { ...next, sequence: addSequence(next.sequence, batch.count) }
    return next
  }

  #settle(lane: Lane, result: Pick<ProduceResult, 'error' | 'offset' | 'refused' | 'message'>): void {
    const { error, offset } = result
    const batch = lane.queue[0]!
    const where = `${lane.topic}/${lane.partition}`
    if (error === 0 || error === DUPLICATE_SEQUENCE) {
      lane.failures = 0
      this.office.delivered(lane, error === 0 ? offset : -1)
    } else if (isRecordError(error)) this.#refused(lane, result)
    else if ((error === MESSAGE_TOO_LARGE || error === RECORD_LIST_TOO_LARGE) && batch.count > 1) {
      this.#unstamp(lane)
      this.office.split(lane)
    } else if (isAuthError(error))
      this.office.lost(lane, denied(`writing to ${where}`, error, `WRITE on topic ${lane.topic}`))
    else if (isProducerStateError(error)) {
      // The broker lost what it knew of us: begin anew, with the same batch.
      this.#beginAnew(lane)
      this.#again(lane, false)
    } else if (isFinalError(error)) {
      const size = `${batch.count} messages, ${batch.size} bytes`
      this.#unstamp(lane)
      this.office.lost(lane, new CodedError('KAFKA_LOST', `${where} refused (${size}): ${errorName(error)}`))
    } else this.#again(lane, isLeaderError(error))
  }

  /** Only the records that the broker names are lost; where it names none, halves find out. */
  #refused(lane: Lane, { error, refused, message }: Pick<ProduceResult, 'error' | 'refused' | 'message'>): void {
    const batch = lane.queue[0]!
    const named = new Set(refused.filter((record) => record >= 0 && record < batch.count))
    this.#unstamp(lane)
    if (named.size === 0 && batch.count > 1) return this.office.split(lane)
    // The same words for every message of a kind: what the broker says has the time in it.
    const hint =
      error === INVALID_TIMESTAMP
        ? '; the topic allows only times within its message.timestamp.before.max.ms and message.timestamp.after.max.ms'
        : ''
    const text = `${lane.topic}/${lane.partition} refused a message: ${errorName(error)}${hint}`
    const lost = new CodedError('KAFKA_LOST', text, { fields: message === null ? {} : { broker: message } })
    if (named.size === 0 || named.size === batch.count) this.office.lost(lane, lost)
    else this.office.refused(lane, named, lost)
  }

  /**
   * The first batch was refused, so its numbers are still free, and what it becomes is numbered anew. After an attempt whose fate
   * is unknown they may be taken: other records with the same numbers would pass for a repetition.
   */
  #unstamp(lane: Lane): void {
    const { stamp } = lane.queue[0]!
    if (lane.failures > 0) this.#beginAnew(lane)
    else lane.next = stamp ?? lane.next
    for (const batch of lane.queue) batch.stamp = undefined
  }

  #beginAnew(lane: Lane): void {
    const batch = lane.queue[0]!
    if (this.#current?.producerId === batch.stamp?.producerId) this.#identity = undefined
    batch.stamp = lane.next = undefined
  }

  #again(lane: Lane, newLeader: boolean): void {
    lane.notBeforeMs = Date.now() + backoffMs(lane.failures++)
    if (newLeader) lane.leader = -1
  }
}
