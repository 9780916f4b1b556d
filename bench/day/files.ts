// Starts a write job after the other, each on the heels of the one before, and holds every finished file against what was sent.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Control } from '../../test/support/control.js'
import { dieWithUs } from '../../test/support/forwarder/process.js'
import { type PythonLines, pythonLines } from '../../test/support/python.js'
import { type Histograms } from './histogram.js'
import { type EventSender, LATE_MS, type ExpectedEvents, type ValueLedger } from './ledger.js'

interface Answer {
  readonly error?: string
  readonly events: ExpectedEvents
  readonly logs: readonly (readonly number[])[]
  readonly times: readonly string[]
}

/** A Python with h5py that reads one file after the other. */
export class FileReader {
  readonly #python: PythonLines

  private constructor(lines: PythonLines) {
    this.#python = lines
  }

  static async start(): Promise<FileReader> {
    const lines = await pythonLines(fileURLToPath(new URL('../../../bench/day/read.py', import.meta.url)))
    dieWithUs(lines.child)
    return new FileReader(lines)
  }

  async read(file: string, logs: number): Promise<Answer> {
    return (await this.#python.ask({ file, logs })) as Answer
  }

  close(): Promise<void> {
    return this.#python.close()
  }
}

export interface Instrument {
  readonly control: Control
  readonly reader: FileReader
  readonly values: ValueLedger
  readonly events: EventSender
  readonly histograms: Histograms
  readonly names: readonly string[]
  readonly pvTopic: string
  readonly folder: string
}

/** The machine may be busy with other things. */
const PATIENCE_MS = 900_000

export class Files {
  readonly #at: Instrument
  readonly #open = new Set<Promise<void>>()
  /** Begin of each that is not done, ms since 1970. */
  readonly #begun = new Set<number>()
  #started = 0
  good = 0
  values = 0
  pulses = 0
  events = 0
  /** Pulses that this program brought to Kafka when their file was closed. */
  late = 0
  /** What was wrong, one line each. */
  readonly troubles: string[] = []

  constructor(at: Instrument) {
    this.#at = at
  }

  /** A job for this window, ms since 1970; it is followed to the end of its file. */
  start(startMs: number, stopMs: number): void {
    const id = `day-${++this.#started}`
    this.#begun.add(startMs)
    const followed: Promise<void> = this.#follow(id, startMs, stopMs)
      .catch((error: unknown) => void this.troubles.push(`${id}: ${String(error).slice(0, 500)}`))
      .finally(() => {
        this.#open.delete(followed)
        this.#begun.delete(startMs)
        this.#forget(Math.min(stopMs, ...this.#begun))
      })
    this.#open.add(followed)
  }

  async done(): Promise<void> {
    await Promise.all(this.#open)
  }

  async #follow(id: string, startMs: number, stopMs: number): Promise<void> {
    const { control, events, folder, histograms } = this.#at
    const counted = histograms.count(id, startMs, stopMs, events)
    counted.catch(() => undefined) // Told below, when the file is done
    const command = { cmd: 'start', service: 'filewriter', job_id: id, file_name: `${id}.nxs` }
    const { response, message } = await control.send(
      { ...command, start_time: startMs, stop_time: stopMs, nexus_structure: this.#structure() },
      PATIENCE_MS
    )
    if (response !== 'ACK') throw new Error(`refused: ${String(message)}`)
    const end = await control.json(
      ({ event, job_id: job }) => event === 'writing_done' && job === id,
      `the end of ${id}`,
      stopMs - Date.now() + PATIENCE_MS
    )
    const file = join(folder, `${id}.nxs`)
    if (end['error_encountered'] === true || !existsSync(file)) throw new Error(String(end['message']))
    await this.#check(file, startMs, stopMs)
    rmSync(file)
    await counted
  }

  /** What no file will ask for. */
  #forget(beforeMs: number): void {
    this.#at.values.forget(BigInt(beforeMs) * 1_000_000n)
    this.#at.events.forget(BigInt(beforeMs) * 1_000_000n)
  }

  async #check(file: string, startMs: number, stopMs: number): Promise<void> {
    const [startNs, stopNs] = [BigInt(startMs) * 1_000_000n, BigInt(stopMs) * 1_000_000n]
    const { reader, values, events, names } = this.#at
    const found = await reader.read(file, names.length)
    if (found.error !== undefined) throw new Error(found.error)
    await values.caughtUp(PATIENCE_MS)
    // What reached Kafka later than the writer waits may be missing, from some pulse on
    const least = events.acked(startNs, stopNs, stopMs + LATE_MS)
    const sent = events.expected(startNs, stopNs, Math.max(least, found.events.pulses))
    const wrong: string[] = []
    if (sent.digest !== found.events.digest)
      wrong.push(`events: ${found.events.pulses} pulses with ${found.events.events}, sent ${sent.pulses} with ${sent.events}`) // prettier-ignore
    let written = 0
    for (const [i, name] of names.entries()) {
      const puts = values.window(name, startNs, stopNs)
      written += found.logs[i]!.length
      const same =
        puts.map(({ value }) => value).join() === found.logs[i]!.join() &&
        puts.map(({ timeNs }) => String(timeNs)).join(' ') === found.times[i]
      if (!same) wrong.push(`${name}: ${found.logs[i]!.length} values, sent ${puts.length}`)
    }
    if (wrong.length > 0)
      throw new Error(`${wrong.length} of ${names.length + 1} streams: ${wrong.slice(0, 3).join('; ')}`)
    this.good++
    this.values += written
    this.pulses += sent.pulses
    this.late += events.acked(startNs, stopNs, Infinity) - sent.pulses
    this.events += sent.events
  }

  #structure(): object {
    const { names, pvTopic, events } = this.#at
    const log = (source: string, i: number): object => ({
      type: 'group',
      name: `log_${i}`,
      children: [{ module: 'f144', config: { topic: pvTopic, source, dtype: 'double' } }]
    })
    const detector = { module: 'ev44', config: { topic: events.topic, source: events.source } }
    const children = [{ type: 'group', name: 'events', children: [detector] }, ...names.map(log)]
    return { children: [{ type: 'group', name: 'entry', attributes: { NX_class: 'NXentry' }, children }] }
  }
}
