// A daemon with the histogram service on a real Kafka, topics of a test, events on them, histograms read back by the field's Python.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectKafka } from '../../core/kafka/client.js'
import { type Kafka, type Producer } from '../../core/api/plugin.js'
import { DaemonProcess } from '../../plugins/tools-dev/daemon-process.js'
import { encodeMessage } from '../../schemas/index.js'
import { Control } from '../support/control.js'
import { kafka as startKafka, testTopics } from '../support/kafka.js'
import { runPython } from '../support/python.js'

const script = fileURLToPath(new URL('../../../test/support/python/histograms.py', import.meta.url))

/** One message as Python read it. */
export interface Read {
  readonly schema: string
  readonly source: string
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: unknown
  readonly edges: readonly (readonly number[])[]
  readonly units: readonly string[]
  readonly info: string
  readonly variables: Readonly<Record<string, Variable>>
}
export interface Variable {
  readonly unit: string
  readonly label: string | null
  readonly axes: readonly string[]
  readonly shape: readonly number[]
  readonly data: unknown
}
export interface Info {
  readonly id: string
  readonly start?: number
  readonly stop?: number
  readonly state: string
  readonly last_pulse_time: number
  readonly sum: number
  readonly rate: number
  readonly diff: number
  readonly error_message?: string
}

/** What just-bin-it's clients read of a message. */
export function infoOf(value: Buffer): Info {
  const text = value.toString('latin1')
  const start = text.indexOf('{"id"')
  return JSON.parse(text.slice(start, text.indexOf('}', start) + 1)) as Info
}

export interface Pulse {
  readonly schema?: 'ev42' | 'ev44'
  readonly source?: string
  /** Ns. */
  readonly time?: bigint
  readonly tof: readonly number[]
  readonly pixel: readonly number[]
}

export const T0 = 1_700_000_000_000_000_000n

export function events({ schema = 'ev44', source = 'det', time = T0, tof, pixel }: Pulse): Buffer {
  const head = { source_name: source, message_id: 1n, time_of_flight: [...tof] }
  return schema === 'ev42'
    ? encodeMessage('ev42', { ...head, pulse_time: time, detector_id: [...pixel] })
    : encodeMessage('ev44', { ...head, reference_time: [time], reference_time_index: [0], pixel_id: [...pixel] })
}

/** Topics of the daemon's: `words2` and `answers2` are SINQ's. */
const topicNames = ['commands', 'status', 'words', 'answers', 'words2', 'answers2', 'histograms', 'histograms2', 'beats'] as const // prettier-ignore
type Name = (typeof topicNames)[number]

interface Opened {
  readonly kafka: Kafka
  readonly producer: Producer
  readonly daemon: DaemonProcess
  /** Speaks our commands, hears answers, events and histograms. */
  readonly control: Control
  /** Speaks just-bin-it's. */
  readonly peer: Control
  readonly names: Readonly<Record<Name, string>>
  readonly folder: string
  /** Topics that nobody has used. */
  readonly spare: string[]
}

export class Live {
  readonly control: Control
  readonly peer: Control
  readonly names: Opened['names']
  readonly #opened: Opened

  private constructor(opened: Opened) {
    this.#opened = opened
    this.control = opened.control
    this.peer = opened.peer
    this.names = opened.names
  }

  /** Topic of the histograms. */
  get histograms(): string {
    return this.names.histograms
  }

  /** @param topics - how many data topics the tests want */
  static async open(topics: number, options: string): Promise<Live> {
    const { brokers } = await startKafka()
    const names = await testTopics(topicNames)
    const spare = await testTopics(
      Array.from({ length: topics }, (_, i) => `data${i}`),
      { partitions: 2 }
    )
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-histogram-'))
    const config = join(folder, 'nexstream.toml')
    writeFileSync(
      config,
      `[daemon]
service_id = "live"
builtin_plugins = ["service-histogram", "converter-events", "converter-histograms", "converter-da00", "converter-pu00", "reporter-json", "reporter-x5f2"]
[kafka]
brokers = ${JSON.stringify(brokers)}
[commands]
topic = "${names.commands}"
[[commands.listen]]
topic = "${names.words}"
dialects = ["just-bin-it"]
reply_topic = "${names.answers}"
[[commands.listen]]
topic = "${names.words2}"
dialects = ["just-bin-it-sinq"]
reply_topic = "${names.answers2}"
[status]
topic = "${names.status}"
interval = "300ms"
[reporters.x5f2]
interval_ms = 1000
services = { histogram = "${names.beats}" }
software_names = { histogram = "just-bin-it" }
[services.histogram]
${options}
`
    )
    const control = await Control.open(brokers, names.commands, [names.status, names.histograms])
    const peer = await Control.open(brokers, names.words, [names.answers])
    const daemon = new DaemonProcess([config], process.env, join(folder, 'log'))
    const up = control.json((json) => json['type'] === 'nexstream_status', 'the first status', 60_000)
    await Promise.race([up, daemon.crash()])
    const kafka = connectKafka({ brokers: [...brokers] })
    const producer = kafka.producer({ lingerMs: 0 })
    return new Live({ kafka, producer, daemon, control, peer, names, folder, spare: Object.values(spare) })
  }

  /** A topic of two partitions that nobody has used. */
  topic(): string {
    return this.#opened.spare.pop()!
  }

  async put(topic: string, value: Buffer, timestampMs = Date.now(), partition = 0): Promise<void> {
    this.#opened.producer.send({ topic, partition, value, timestampMs })
    await this.#opened.producer.flush()
  }

  /** The first message of a histogram that fits, heard already or to come, and all of it before. */
  async wait(id: string, what: string, fits: (info: Info) => boolean): Promise<Buffer> {
    const found = this.control.wait(({ topic, value }) => {
      if (topic !== this.histograms) return false
      const info = value.toString('latin1', 4, 8) === 'da00' ? undefined : infoOf(value)
      return info?.id === id && fits(info)
    }, what)
    return (await Promise.race([found, this.#opened.daemon.crash()])).value
  }

  /** All messages of a histogram so far. */
  of(id: string): Info[] {
    return this.#values(id).map(infoOf)
  }

  /** The last messages of so many histograms of one id. */
  async ends(id: string, count: number): Promise<Buffer[]> {
    const ends = (): Buffer[] => this.#values(id).filter((value) => infoOf(value).state === 'FINISHED')
    await this.control.wait(() => ends().length === count, `${count} ends of ${id}`)
    return ends()
  }

  #values(id: string): Buffer[] {
    const mine = this.control.said.filter(({ topic }) => topic === this.histograms)
    return mine.map(({ value }) => value).filter((value) => infoOf(value).id === id)
  }

  /** As the field's Python reads them. */
  async read(...messages: readonly Buffer[]): Promise<Read[]> {
    const text = await runPython(script, [], messages.map((one) => `${one.toString('hex')}\n`).join(''))
    const lines = text.trim().split('\n')
    return lines.map((line) => JSON.parse(line) as Read)
  }

  async close(): Promise<void> {
    const { daemon, control, peer, producer, kafka, folder } = this.#opened
    await daemon.stop()
    await control.close()
    await peer.close()
    await producer.close()
    await kafka.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
