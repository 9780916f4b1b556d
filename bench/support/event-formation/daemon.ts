// The real daemon with one detector at a time: its CPU by the kernel's books, its counts, and what a reader of its topic gets.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DaemonProcess } from '../../../plugins/tools-dev/daemon-process.js'
import { type Control, Control as OpenControl } from '../../../test/support/control.js'
import { testTopics } from '../../../test/support/kafka.js'
import { type BenchCase, filesOf } from './cases.js'

export interface DetectorCounts {
  readonly packets: number
  readonly events: number
  readonly delivered_events: number
  readonly losses: Readonly<Record<string, number>>
  readonly messages: number
  readonly received_by: 'dgram' | 'recvmmsg'
  readonly counters: Readonly<Record<string, number>>
}

/** None of a thread that has ended. */
function onCpu(file: string): number[] {
  try {
    return [Number(readFileSync(file, 'utf8').split(' ')[0]) / 1e6]
  } catch {
    return []
  }
}

const ticks = Number(execFileSync('getconf', ['CLK_TCK']).toString())

export class BenchDaemon {
  private constructor(
    readonly daemon: DaemonProcess,
    readonly control: Control,
    readonly folder: string,
    readonly topics: Readonly<Record<'commands' | 'status' | 'events', string>>
  ) {}

  static async open(brokers: readonly string[]): Promise<BenchDaemon> {
    const topics = await testTopics(['commands', 'status', 'events'], { brokers })
    const folder = mkdtempSync(join(tmpdir(), 'nexstream-bench-'))
    const config = join(folder, 'nexstream.toml')
    const lines = ['[kafka]', `brokers = ${JSON.stringify(brokers)}`, '[commands]', `topic = "${topics.commands}"`, '[status]', `topic = "${topics.status}"`, '[services.event_formation]', `folder = ${JSON.stringify(folder)}`, ''] // prettier-ignore
    writeFileSync(config, lines.join('\n'))
    const control = await OpenControl.open(brokers, topics.commands, [topics.status])
    const daemon = new DaemonProcess([config], process.env, join(folder, 'log'))
    const up = control.json((json) => json['type'] === 'nexstream_status', 'the first status', 60_000)
    await Promise.race([up, daemon.crash()])
    return new BenchDaemon(daemon, control, folder, topics)
  }

  /** ms of CPU of the whole process since its start. */
  cpuMs(): number {
    const stat = readFileSync(`/proc/${this.daemon.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticks
  }

  /** ms of CPU of each of its threads, by number; the first is the main thread, later ones have higher numbers. */
  threadMs(): Map<number, number> {
    const folder = `/proc/${this.daemon.pid}/task`
    const tids = readdirSync(folder).map(Number).toSorted((a, b) => a - b) // prettier-ignore
    return new Map(tids.flatMap((tid) => onCpu(`${folder}/${tid}/schedstat`).map((ms) => [tid, ms] as const)))
  }

  async start(name: string, one: BenchCase, port: number, more: Readonly<Record<string, unknown>>): Promise<void> {
    const { family, config, calibration } = await filesOf(one)
    writeFileSync(join(this.folder, 'config.json'), JSON.stringify(config))
    writeFileSync(join(this.folder, 'calibration.json'), JSON.stringify(calibration ?? {}))
    const files = {
      config_file: 'config.json',
      ...(calibration !== undefined && { calibration_file: 'calibration.json' })
    }
    await this.#tell({ cmd: 'start', job_id: name, family, topic: this.topics.events, host: '127.0.0.1', port, ...files, ...more }) // prettier-ignore
  }

  /** All that came is in Kafka. */
  async stop(name: string): Promise<DetectorCounts> {
    const { result } = await this.#tell({ cmd: 'stop', job_id: name })
    return (result as { detectors: DetectorCounts[] }).detectors[0]!
  }

  async counts(name: string): Promise<DetectorCounts> {
    const { result } = await this.#tell({ cmd: 'status', job_id: name })
    return result as DetectorCounts
  }

  async close(): Promise<void> {
    await this.daemon.stop()
    await this.control.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #tell(command: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    const answer = await this.control.send({ service: 'event_formation', ...command }, 60_000)
    if (answer['response'] !== 'ACK') throw new Error(JSON.stringify(answer))
    return answer
  }
}
