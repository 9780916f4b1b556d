// What the integration test needs of the world: a Kafka, an IOC, a daemon with all services, a client that steers it.
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DaemonProcess, nexstream } from '../../plugins/tools-dev/daemon-process.js'
import { Control } from '../support/control.js'
import { type Ioc, startIoc } from '../support/ioc.js'
import { freePorts } from '../../plugins/tools-dev/fetched/ports.js'

export const topicNames = ['commands', 'status', 'detector', 'monitor', 'histograms', 'sample_env'] as const
export type TopicName = (typeof topicNames)[number]
/** What each has had is in its value: they are put 1, 2, 3 … */
const records = ['TEMP', 'FIELD', 'MOTOR'].map((name) => `record(ao, "$(P)${name}") { field(PREC, "3") field(VAL, "0") field(PINI, "YES") }\n`).join('') // prettier-ignore
type Reply = Readonly<Record<string, unknown>>

interface Opened {
  readonly ioc: Ioc
  readonly daemon: DaemonProcess
  readonly control: Control
  readonly prefix: string
  readonly ports: readonly number[]
  readonly config: string
}

export class World {
  private constructor(
    readonly folder: string,
    readonly env: NodeJS.ProcessEnv,
    readonly opened: Opened
  ) {}

  /** @param detectors - what stands below `[services.event_formation]`, by the topics and ports of the run */
  static async open(
    folder: string,
    brokers: readonly string[],
    detectors: (topic: (name: TopicName) => string, ports: readonly number[]) => string
  ): Promise<World> {
    mkdirSync(folder, { recursive: true })
    const prefix = `IT${randomBytes(4).toString('hex')}`
    const topic = (name: TopicName): string => `${prefix}_${name}`
    const ioc = await startIoc({ kind: 'ca', db: records, macros: { P: `${prefix}:` } }) // prettier-ignore
    const env = { ...process.env, ...ioc.env, NEXSTREAM_BROKERS: brokers.join(',') }
    const ports = await freePorts(2)
    const config = join(folder, 'integration.toml')
    writeFileSync(
      config,
      `[daemon]
service_id = "${prefix}"
instrument = "${prefix}"
[kafka]
brokers = ${JSON.stringify(brokers)}
[commands]
topic = "${topic('commands')}"
[status]
topic = "${topic('status')}"
interval = "500ms"
[services.forwarder]
default_protocol = "ca"
[services.filewriter]
folder = ${JSON.stringify(folder)}
[services.histogram]
[services.event_formation]
folder = ${JSON.stringify(folder)}
${detectors(topic, ports)}
${topicNames
  .slice(2)
  .map((name) => `[[topics]]\nname = "${topic(name)}"\n`)
  .join('')}`
    )
    await nexstream(['provision', '--config', config], env)
    const control = await Control.open(brokers, topic('commands'), [topic('status'), topic('histograms')])
    const daemon = new DaemonProcess([config], env, join(folder, 'daemon.log'))
    const world = new World(folder, env, { ioc, daemon, control, prefix, ports, config })
    try {
      const up = control.json((json) => json['type'] === 'nexstream_status', 'the first status', 60_000)
      await Promise.race([up, daemon.crash()])
    } catch (error) {
      await world.close()
      throw error
    }
    return world
  }

  topic(name: TopicName): string {
    return `${this.opened.prefix}_${name}`
  }

  pv(name: string): string {
    return `${this.opened.prefix}:${name}`
  }

  /** Throws when it is refused. */
  async tell(command: Reply): Promise<Reply> {
    const { control, daemon } = this.opened
    const answer = await Promise.race([control.send(command, 60_000), daemon.crash()])
    if (answer['response'] !== 'ACK')
      throw new Error(`${JSON.stringify(command).slice(0, 200)}: ${JSON.stringify(answer)}`)
    return answer
  }

  /** The job of this id, when it has ended. */
  async ended(id: string): Promise<Reply> {
    const { control, daemon } = this.opened
    const hasEnded = (json: Reply): boolean =>
      (json['jobs'] as Reply[] | undefined)?.some((job) => job['job_id'] === id && job['ended'] !== null) === true
    await Promise.race([control.json(hasEnded, `the end of ${id}`, 120_000), daemon.crash()])
    const [job] = (await this.tell({ cmd: 'jobs', job_id: id }))['result'] as Reply[]
    if (job === undefined) throw new Error(`no job ${id}`)
    return job
  }

  /** Runs a sub-command; gives what it printed as JSON. */
  async run(args: readonly string[]): Promise<Reply> {
    return JSON.parse(await nexstream([...args, '--json', '--config', this.opened.config], this.env)) as Reply
  }

  /** Gives the exit code of the daemon. */
  async close(): Promise<number | null> {
    const { ioc, daemon, control } = this.opened
    const code = await daemon.stop()
    await control.close()
    await ioc.stop()
    return code
  }
}
