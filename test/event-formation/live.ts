// A daemon with event formation on a real Kafka; packets are sent to its ports, messages read back.
import { createSocket, type Socket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DaemonProcess } from '../../plugins/tools-dev/daemon-process.js'
import { decodeJson } from '../../schemas/index.js'
import { Control } from '../support/control.js'
import { kafka as startKafka, testTopics } from '../support/kafka.js'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'
import { cleanEnv } from '../cli/child.js'

const topicNames = ['commands', 'status', 'events', 'events2', 'raw'] as const

interface Opened {
  readonly daemon: DaemonProcess
  readonly control: Control
  readonly names: Readonly<Record<(typeof topicNames)[number], string>>
  readonly folder: string
  readonly ports: readonly number[]
}

interface LiveOptions {
  /** Puts other files into the folder. */
  readonly more?: (folder: string) => void
  /** Brokers as the daemon knows them; default those of the test. */
  readonly through?: readonly string[]
}

export class LiveFormation {
  readonly #socket: Socket = createSocket('udp4')

  private constructor(readonly opened: Opened) {}

  get control(): Control {
    return this.opened.control
  }
  get names(): Opened['names'] {
    return this.opened.names
  }
  get ports(): readonly number[] {
    return this.opened.ports
  }

  /** @param services - what stands below `[services.event_formation]` @param files - by name, in its folder */
  static async open(
    services: (opened: Pick<Opened, 'names' | 'ports'>) => string,
    files: Readonly<Record<string, unknown>> = {},
    { more, through }: LiveOptions = {}
  ): Promise<LiveFormation> {
    const { brokers } = await startKafka()
    const names = await testTopics(topicNames)
    const ports = await freePorts(3)
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-event-formation-'))
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(content))
    more?.(folder)
    const config = join(folder, 'nexstream.toml')
    writeFileSync(
      config,
      `[daemon]
service_id = "efu"
[kafka]
brokers = ${JSON.stringify(through ?? brokers)}
[commands]
topic = "${names.commands}"
[status]
topic = "${names.status}"
interval = "200ms"
[services.event_formation]
folder = ${JSON.stringify(folder)}
${services({ names, ports })}
`
    )
    const control = await Control.open(brokers, names.commands, [names.status, names.events, names.events2, names.raw])
    // The brokers of the config, which may stand behind a proxy, not those that tests share
    const daemon = new DaemonProcess([config], cleanEnv(), join(folder, 'log'))
    return new LiveFormation({ daemon, control, names, folder, ports })
  }

  /** Resolves at the first status; rejects when the daemon ends instead. */
  async up(): Promise<this> {
    const up = this.control.json((json) => json['type'] === 'nexstream_status', 'the first status', 60_000)
    await Promise.race([up, this.opened.daemon.crash()])
    return this
  }

  /** Sends packets to the port of this index, one after the other. */
  async send(packets: readonly Uint8Array[], port = 0): Promise<void> {
    for (const packet of packets)
      await new Promise<void>((resolve, reject) =>
        this.#socket.send(packet, this.ports[port], '127.0.0.1', (error) => (error ? reject(error) : resolve()))
      )
  }

  command(cmd: string, keys: Readonly<Record<string, unknown>> = {}): Promise<Readonly<Record<string, unknown>>> {
    return this.control.send({ cmd, service: 'event_formation', ...keys })
  }

  /** The first snapshot of the service, heard already or to come, that fits. */
  async snapshot(what: string, fits: (service: Detectors) => boolean): Promise<Detectors> {
    const found = await this.control.json((json) => {
      const service = (json['services'] as Record<string, Detectors> | undefined)?.['event_formation']
      return service !== undefined && fits(service)
    }, what)
    return (found['services'] as Record<string, Detectors>)['event_formation']!
  }

  /** Messages of a topic so far. */
  values(topic: string): Buffer[] {
    return this.control.said.filter((one) => one.topic === topic).map(({ value }) => value)
  }

  /** Events in the ev44 messages of a topic so far. */
  events(topic: string): number {
    return this.values(topic).reduce((sum, value) => {
      const { file_identifier: id, message } = decodeJson(value)
      return sum + (id === 'ev44' ? (message['time_of_flight'] as unknown[]).length : 0)
    }, 0)
  }

  async close(): Promise<number | null> {
    const code = await this.opened.daemon.stop()
    await this.control.close()
    this.#socket.close()
    rmSync(this.opened.folder, { recursive: true, force: true })
    return code
  }
}

export interface Detectors {
  readonly detectors: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly not_ready: readonly string[]
}
