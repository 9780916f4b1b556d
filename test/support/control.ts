// An experiment control program for tests: sends commands, keeps everything said on a topic, waits for what it expects.
import { randomUUID } from 'node:crypto'
import { connectKafka } from '../../core/kafka/client.js'
import { type Kafka, type Producer, type Reader } from '../../core/api/plugin.js'
import { schemaId } from '../../schemas/index.js'
import { PATIENCE_MS } from './patience.js'

export interface Said {
  readonly topic: string
  readonly value: Buffer
  /** The parsed JSON, or null for FlatBuffers. */
  readonly json: Readonly<Record<string, unknown>> | null
  readonly id: string | undefined
}

type Match = (said: Said) => boolean

export class Control {
  readonly said: Said[] = []
  readonly #waiting = new Set<() => void>()
  readonly #done: Promise<void>

  private constructor(
    readonly kafka: Kafka,
    readonly commandTopic: string,
    readonly reader: Reader,
    readonly producer: Producer
  ) {
    this.#done = this.#listen()
  }

  /** Listens to the topics from now on. */
  static async open(
    brokers: readonly string[],
    commandTopic: string,
    listenTopics: readonly string[]
  ): Promise<Control> {
    const kafka = connectKafka({ brokers: [...brokers] })
    const assign = []
    for (const topic of listenTopics)
      for (const [partition, offset] of await kafka.offsets(topic, [0], 'latest'))
        assign.push({ topic, partition, offset })
    return new Control(kafka, commandTopic, kafka.reader({ assign, maxWaitMs: 100 }), kafka.producer({ lingerMs: 0 }))
  }

  /** Sends raw bytes to the command topic. */
  async sendRaw(value: Uint8Array | string): Promise<void> {
    this.producer.send({ topic: this.commandTopic, value })
    await this.producer.flush()
  }

  /** Sends a command and waits for its answer. */
  async send(
    command: Readonly<Record<string, unknown>>,
    timeoutMs = PATIENCE_MS
  ): Promise<Readonly<Record<string, unknown>>> {
    const id = randomUUID()
    await this.sendRaw(JSON.stringify({ msg_id: id, ...command }))
    const wanted = command['msg_id'] ?? id
    return this.json(
      (json) => json['msg_id'] === wanted && json['response'] !== undefined,
      `an answer to ${JSON.stringify(command)}`,
      timeoutMs
    )
  }

  /** The first JSON message, heard already or to come, that fits. */
  async json(
    match: (json: Readonly<Record<string, unknown>>) => boolean,
    what: string,
    timeoutMs = PATIENCE_MS
  ): Promise<Readonly<Record<string, unknown>>> {
    const said = await this.wait(({ json }) => json !== null && match(json), what, timeoutMs)
    return said.json ?? {}
  }

  /** The first message, heard already or to come, that fits. */
  async wait(match: Match, what: string, timeoutMs = PATIENCE_MS): Promise<Said> {
    const until = performance.now() + timeoutMs
    for (;;) {
      const found = this.said.find(match)
      if (found !== undefined) return found
      const left = until - performance.now()
      if (left <= 0)
        throw new Error(
          `waited ${timeoutMs / 1000} s for ${what}; heard ${this.said.map(({ json, id }) => JSON.stringify(json?.['type'] ?? id)).join(' ')}`
        )
      await this.#change(left)
    }
  }

  async close(): Promise<void> {
    await this.reader.close()
    await this.#done
    await this.producer.close()
    await this.kafka.close()
  }

  async #change(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, timeoutMs)
      this.#waiting.add(done)
    })
  }

  async #listen(): Promise<void> {
    for (let batch = await this.reader.next(); batch !== null; batch = await this.reader.next()) {
      for (let i = 0; i < batch.count; i++) {
        const value = Buffer.from(batch.value(i) ?? [])
        const json = value[0] === 0x7b ? (JSON.parse(value.toString()) as Record<string, unknown>) : null
        this.said.push({ topic: batch.topic, value, json, id: json === null ? schemaId(value) : undefined })
      }
      batch.release()
      for (const done of [...this.#waiting]) done()
    }
  }
}
