// A daemon with a file writer on the shared Kafka, and what tests need to steer and feed it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Daemon, loadConfig, startDaemon } from '../../core/main.js'
import { type JobReport } from '../../plugins/service-filewriter/structure/report.js'
import { type Producer } from '../../core/api/plugin.js'
import { eventCodec } from '../../plugins/converter-events/codec.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { Control } from '../support/control.js'
import { kafka, testTopics } from '../support/kafka.js'

export type HarnessTopics = Readonly<Record<'commands' | 'status' | 'pool' | 'control', string>>
export type Json = Readonly<Record<string, unknown>>
const ev44 = eventCodec('ev44')
const ints = (list: readonly number[]) =>
  ({ dtype: 'int32', length: list.length, bytes: new Uint8Array(Int32Array.from(list).buffer) }) as const

export class Harness {
  #daemon: Daemon | undefined

  private constructor(
    readonly folder: string,
    readonly control: Control,
    readonly producer: Producer,
    readonly topics: HarnessTopics,
    daemon: Daemon | undefined
  ) {
    this.#daemon = daemon
  }

  /** `options` of the file writer; `flags` of the daemon may name the topics. */
  static async start(
    options: Json = {},
    flags: (topics: HarnessTopics) => Record<string, string> = () => ({}),
    onShutdown: (reason: string) => void = () => undefined,
    topicConfig: Readonly<Record<string, string>> = {}
  ): Promise<Harness> {
    const { brokers } = await kafka()
    const topics = await testTopics(['commands', 'status', 'pool', 'control'], { config: topicConfig })
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-files-'))
    const writer = { folder, max_jobs: 3, late_data_ms: 500, checkpoint_ms: 200, progress_ms: 200, before_start_ms: 1000, ...options } // prettier-ignore
    const loaded = loadConfig({
      flags: {
        'kafka.brokers': JSON.stringify(brokers),
        'commands.listen': JSON.stringify([{ topic: topics.commands }]),
        'status.topic': topics.status,
        'status.interval': '200ms',
        'log.level': 'error',
        services: JSON.stringify({ filewriter: writer }),
        ...flags(topics)
      }
    })
    assert.deepEqual(loaded.findings, [])
    const control = await Control.open(brokers, topics.commands, [topics.status])
    const daemon = await startDaemon(loaded, onShutdown)
    return new Harness(folder, control, control.kafka.producer({ lingerMs: 0 }), topics, daemon)
  }

  async stopDaemon(): Promise<void> {
    await this.#daemon?.stop('test over')
    this.#daemon = undefined
  }

  async close(): Promise<void> {
    await this.stopDaemon()
    await this.producer.close()
    await this.control.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** An f144 value whose payload and Kafka time are `atMs`. */
  log(topic: string, source: string, atMs: number, value: number, partition = 0): void {
    const timestampNs = BigInt(atMs) * 1_000_000n
    const message = logF144.encode({ source, timestampNs, dtype: 'float64', value })
    this.producer.send({ topic, partition, value: message, timestampMs: atMs })
  }

  /** An ev44 message of one pulse; offsets are as the ids. */
  events(topic: string, source: string, atMs: number, ids: readonly number[], partition = 0): void {
    const zero = BigInt64Array.of(BigInt(atMs) * 1_000_000n)
    const value = ev44.encode({
      source,
      messageId: 1n,
      referenceTime: { dtype: 'int64', length: 1, bytes: new Uint8Array(zero.buffer) },
      referenceTimeIndex: ints([0]),
      timeOfFlight: ints(ids),
      pixelId: ints(ids)
    })
    this.producer.send({ topic, partition, value, timestampMs: atMs })
  }

  start(command: Json): Promise<Json> {
    return this.control.send({ cmd: 'start', service: 'filewriter', ...command })
  }

  /** The event that ends a job. */
  done(id: string): Promise<Json> {
    return this.control.json(
      (json) => json['event'] === 'writing_done' && json['job_id'] === id,
      `the end of job ${id}`
    )
  }

  /** Waits until the job has written so many messages. */
  written(id: string, n: number): Promise<void> {
    return this.#reached(id, 'written', n)
  }

  /** Waits until the job has read so many messages, whatever became of them. */
  heard(id: string, n: number): Promise<void> {
    return this.#reached(id, 'messages', n)
  }

  async #reached(id: string, what: 'written' | 'messages', n: number): Promise<void> {
    await this.control.json((json) => {
      const jobs = (json['jobs'] ?? []) as Json[]
      return jobs.some((job) => job['job_id'] === id && (job[what] as number) >= n)
    }, `${n} messages ${what} of job ${id}`)
  }
}

/** A group with one stream. */
export const group = (name: string, module: string, topic: string, source: string, more: object = {}): object => ({
  type: 'group',
  name,
  children: [{ module, config: { topic, source, ...more } }]
})
/** A structure of one NXentry. */
export const entry = (...children: (object | string)[]): object => ({
  children: [{ type: 'group', name: 'entry', attributes: { NX_class: 'NXentry' }, children }]
})
export const reportOf = (event: Json): JobReport => event['report'] as JobReport
/** Code and path of everything that a refusal names. */
export const codes = (reply: Json): string[] => {
  assert.equal(reply['response'], 'ERR', JSON.stringify(reply))
  return (reply['errors'] as { code: string; path: string }[]).map(({ code, path }) => `${code} ${path}`)
}
