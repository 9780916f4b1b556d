// One write job of a campaign: started by a pool, stopped over its control topic, its words kept.
import { randomUUID } from 'node:crypto'
import { entry, group, type Json } from '../filewriter/harness.js'
import { CHANNELS } from './pvs.js'
import { type World } from './world.js'

/** A bound is odd: no number has its time. */
const odd = (ms: number): number => ms - (ms % 2) + 1
/** Of a busy machine. */
const LIMIT_MS = 600_000

export class Job {
  readonly id = randomUUID()
  readonly startMs = odd(Date.now())
  stopMs = 0
  /** When its end was told. */
  toldMs = 0
  readonly brokers: number
  /** Its first word that is an end, or a refusal of its start. */
  readonly ended: Promise<Json>

  readonly fileName: string
  readonly #world: World
  readonly #startedMs = performance.now()

  /** `folder`: below that of the files, with a slash at its end. */
  constructor(world: World, name: string, folder = '') {
    this.#world = world
    this.brokers = world.brokers
    this.fileName = `${folder}${name}.nxs`
    this.ended = world.control.json((json) => this.#isEnd(json), `the end of job ${this.id}`, LIMIT_MS)
    this.ended.catch(() => undefined) // Awaited later
  }

  /** Waits until so long after the start was sent. */
  async at(ms: number): Promise<void> {
    const left = this.#startedMs + ms - performance.now()
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left))
  }

  async start(partition: number): Promise<void> {
    const { values, events, pvs, pool, control } = this.#world.topics
    const structure = entry(
      group('log', 'f144', values, 'log'),
      group('detector', 'ev44', events, 'detector'),
      ...CHANNELS.map((channel, i) => group(`pv${i}`, 'f144', pvs, channel))
    )
    const command = {
      ...{ cmd: 'start', service: 'filewriter', msg_id: this.id, job_id: this.id, file_name: this.fileName },
      ...{ start_time: this.startMs, control_topic: control, nexus_structure: structure }
    }
    const { producer } = this.#world.control
    producer.send({ topic: pool, partition, value: JSON.stringify(command) })
    await producer.flush()
  }

  /** A moment that can be the stop time. */
  moment(): number {
    return odd(Date.now())
  }

  async stop(stopMs: number): Promise<void> {
    this.stopMs = stopMs
    const { producer } = this.#world.control
    const command = { cmd: 'stop', service: 'filewriter', job_id: this.id, stop_time: stopMs }
    producer.send({ topic: this.#world.topics.control, value: JSON.stringify(command) })
    await producer.flush()
  }

  /** Everything said about this job: answers and events. */
  get said(): Json[] {
    return this.#world.control.said.flatMap(({ json }) =>
      json !== null && json['cmd'] === undefined && json['type'] !== 'nexstream_status' && json['job_id'] === this.id
        ? [json]
        : []
    )
  }

  /** The daemon that took it last; undefined: none has said so. */
  get owner(): string | undefined {
    return this.said.findLast(({ response, message }) => response === 'ACK' && /^writing /.test(String(message)))?.[
      'service_id'
    ] as string | undefined
  }

  /** Resolves with the daemon that said first that it writes. */
  async begun(): Promise<string | undefined> {
    const taken = this.#world.control.json(
      (json) => json['job_id'] === this.id && json['response'] === 'ACK' && /^writing /.test(String(json['message'])),
      `an answer to the start of ${this.id}`,
      LIMIT_MS
    )
    await Promise.race([taken, this.ended])
    return this.owner
  }

  #isEnd(json: Json): boolean {
    if (json['event'] === 'writing_done' && json['job_id'] === this.id) return true
    return json['response'] === 'ERR' && json['msg_id'] === this.id
  }
}
