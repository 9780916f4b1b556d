// Module `isis_run`: events, frames, periods and the log of a run as ISIS' own files have them, for the entry.
import { type JSONSchema, type Options } from '../../core/api/plugin.js'
import { type EventRecord, type PulseRecord } from '../../schemas/index.js'
import { type Column, type Group, type Writer, type WriterContext } from '../service-filewriter/writer-kit.js'
import { countsAttributes, countsConfig, IsisCounts } from './counts.js'
import { writeAbout, writeCompat, writeEnd, writeRaw, type RunSums, Sums } from './entry.js'
import { type IsisFrame, FrameGatherer } from './frames.js'
import { NumberLog, TextLog } from './logs.js'
import { periodsOf, type RunPeriods } from './run-state.js'
import { checkTables, detectorsConfig, writeTables } from './tables.js'

const MOST_PERIODS = 10_000

export const runConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    detector: { type: 'integer', minimum: 1, default: 1, description: 'N of `detector_N_events`.' },
    veto_mask: {
      type: 'integer',
      minimum: 0,
      maximum: 4_294_967_295,
      default: 4_294_967_295,
      description: 'A frame is good when none of these bits is in its vetoes.'
    },
    entry_fields: {
      type: 'boolean',
      default: true,
      description: 'Write the fields of the entry, too: run number, times, instrument, frames, charge, definition.'
    },
    events: {
      type: 'boolean',
      default: true,
      description: 'Write `detector_N_events`; false for a file of histograms alone.'
    },
    histogram: countsConfig,
    detectors: detectorsConfig,
    experiment_identifier: { type: 'string', description: 'Number of the experiment (RB number), for the entry.' },
    runlog_s: {
      type: 'number',
      minimum: 0.1,
      default: 30,
      description: 'Seconds from one entry of `runlog` to the next.'
    },
    frames_waiting: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      default: 256,
      description: 'Frames that are kept until all of them has come, as messages of several partitions are in no order.'
    },
    chunk_size: { type: 'integer', minimum: 1024, default: 262_144, description: 'Events per chunk.' }
  }
} as const satisfies JSONSchema

type RunConfig = Options<typeof runConfig>

/** Names in the entry that are there at the end only. */
export const madeByRun = ({ entry_fields: fields }: RunConfig): string[] => [
  'periods',
  ...(fields
    ? ['good_frames', 'raw_frames', 'proton_charge', 'proton_charge_raw', 'end_time', 'duration', 'collection_time']
    : [])
]

export class IsisRunWriter implements Writer<PulseRecord | EventRecord> {
  readonly #frames: FrameGatherer
  readonly #events: EventColumns | undefined
  readonly #counts: IsisCounts | undefined
  readonly #compat: Group
  readonly #framelog: FrameLogs
  readonly #runlog: RunLogs
  readonly #total = new Sums()
  readonly #byPeriod = new Map<number, Sums>()
  readonly #periods: RunPeriods
  #frame = 0
  #firstNs: bigint | undefined
  #lastNs = 0n
  #nextLogNs = -1n

  readonly #group: Group
  readonly #config: RunConfig
  readonly #context: WriterContext

  constructor(group: Group, config: RunConfig, context: WriterContext) {
    this.#group = group
    this.#config = config
    this.#context = context
    const startNs = context.run?.startNs
    this.#frames = new FrameGatherer(config.frames_waiting, (frame) => this.#write(frame))
    const { detectors } = config
    if (detectors !== undefined) checkTables(detectors)
    const detector = `detector_${config.detector}`
    if (config.events)
      this.#events = new EventColumns(group.group(`${detector}_events`, { NX_class: 'NXevent_data' }), config.chunk_size, startNs) // prettier-ignore
    if (config.histogram !== undefined)
      this.#counts = new IsisCounts(group.group(detector, countsAttributes), config.histogram, context, detectors)
    group.attribute('default', 'framelog')
    this.#framelog = new FrameLogs(
      group.group('framelog', { NX_class: 'NXcollection', default: 'events_log' }),
      startNs
    )
    this.#runlog = new RunLogs(group.group('runlog', { NX_class: 'IXrunlog' }), startNs)
    this.#periods = periodsOf(context)
    this.#compat = writeCompat(group, context.run)
    writeTables(this.#compat, detectors, context.run)
    if (config.histogram !== undefined) this.#compat.dataset('NTC1', [config.histogram.bins], { dtype: 'int32' })
    const { experiment_identifier: experiment } = config
    if (experiment !== undefined) group.dataset('experiment_identifier', experiment, { dtype: 'string' })
    if (config.entry_fields) writeAbout(group, context.run)
  }

  write(record: PulseRecord | EventRecord, schemaId: string): void {
    if (schemaId === 'pu00') this.#frames.pulse(record as PulseRecord)
    else {
      const lost = this.#frames.events(record as EventRecord)
      if (lost > 0) this.#context.count('events_before_pulse', lost)
    }
  }

  /** Before any module closes: blocks ask for periods then. */
  flush(): void {
    this.#frames.flush()
    this.#periods.number = Math.max(this.#context.run?.periods ?? 1, 1, ...this.#byPeriod.keys())
    if (this.#firstNs !== undefined) this.#log(this.#lastNs)
    this.#runlog.event.append(this.#endNs(), 'END')
  }

  close(): void {
    const group = this.#group
    this.#events?.close()
    this.#counts?.close(this.#periods.number)
    if (this.#counts !== undefined) writeRaw(this.#compat, this.#total, this.#config.experiment_identifier ?? '')
    const sums: RunSums = { total: this.#total, byPeriod: this.#byPeriod, periods: this.#periods.number }
    const [startNs, endNs] = [this.#context.run?.startNs ?? this.#firstNs ?? 0n, this.#endNs()]
    writeEnd(group, sums, { startNs, endNs, fields: this.#config.entry_fields })
  }

  #endNs(): bigint {
    return this.#context.run?.stopNs ?? this.#lastNs
  }

  #write(frame: IsisFrame): void {
    const { timeNs, pulse, events, isLate, isMore } = frame
    const context = this.#context
    const known = pulse !== null && pulse.period < MOST_PERIODS
    if (!known && events > 0) context.count('events_without_pulse', events)
    if (isLate) context.count('late_frame', 1, 'warning')
    const period = known ? pulse.period + 1 : (this.#periods.changes.at(-1)?.period ?? 1)
    // Of a frame that nobody tells of it is not known whether it is good
    const good = known && (pulse.vetoes & this.#config.veto_mask) === 0
    // Its frame and charge count once
    const charge = known && !isMore ? pulse.charge : 0
    // The list of periods ascends: one from before would put all that follows into a wrong place
    if (!isLate) this.#begin(timeNs, period)
    this.#frame++
    if (known) for (const sums of [this.#total, this.#sumsOf(period)]) sums.add(good, charge, events, isMore ? 0 : 1)
    this.#events?.append(frame, this.#frame)
    if (good) this.#counts?.add(frame, period)
    this.#framelog.append(timeNs, { events: good ? events : 0, raw: events, frame: this.#frame, good, period, charge })
    if (timeNs > this.#lastNs) this.#lastNs = timeNs
    if (timeNs >= this.#nextLogNs) this.#log(timeNs)
  }

  #begin(timeNs: bigint, period: number): void {
    if (this.#firstNs === undefined) {
      this.#firstNs = timeNs
      this.#runlog.event.append(this.#context.run?.startNs ?? timeNs, 'BEGIN')
    }
    const before = this.#periods.changes.length
    this.#periods.note(timeNs, period)
    if (before > 0 && this.#periods.changes.length > before)
      this.#runlog.event.append(timeNs, `CHANGE_PERIOD ${period}`)
  }

  #log(timeNs: bigint): void {
    this.#nextLogNs = timeNs + BigInt(Math.round(this.#config.runlog_s * 1e9))
    this.#runlog.append(timeNs, this.#total, this.#periods.changes.at(-1)?.period ?? 1)
  }

  #sumsOf(period: number): Sums {
    let sums = this.#byPeriod.get(period)
    if (sums === undefined) this.#byPeriod.set(period, (sums = new Sums()))
    return sums
  }
}

/** An NXevent_data with one pulse for each frame, also for those without events. */
class EventColumns {
  readonly #id: Column
  readonly #offset: Column
  readonly #zero: Column
  readonly #index: Column
  readonly #number: Column
  #events = 0

  readonly #group: Group
  readonly #startNs: bigint

  constructor(group: Group, chunk: number, startNs = 0n) {
    this.#group = group
    this.#startNs = startNs
    const offset = startNs === 0n ? '1970-01-01T00:00:00Z' : new Date(Number(startNs / 1_000_000n)).toISOString()
    // Seconds from a whole ms on: what is below it is in the times
    this.#startNs = (startNs / 1_000_000n) * 1_000_000n
    this.#offset = group.column('event_time_offset', {
      dtype: 'float32',
      chunk,
      bulk: true,
      attributes: { units: 'microsecond' }
    })
    this.#id = group.column('event_id', { dtype: 'uint32', chunk, bulk: true })
    this.#zero = group.column('event_time_zero', {
      dtype: 'float64',
      index: true,
      attributes: { units: 'second', offset }
    })
    this.#index = group.column('event_index', { dtype: 'uint64', index: true })
    this.#number = group.column('event_frame_number', { dtype: 'int32', index: true })
    group.dataset('event_time_offset_shift', 'random', { dtype: 'string' })
  }

  append({ timeNs, events, parts }: IsisFrame, number: number): void {
    for (const { offsets, ids } of parts) {
      this.#offset.append(new Uint8Array(offsets.buffer))
      this.#id.append(new Uint8Array(ids.buffer))
    }
    this.#zero.appendNumber(Number(timeNs - this.#startNs) / 1e9)
    this.#index.appendBigInt(BigInt(this.#events))
    this.#number.appendNumber(number)
    this.#events += events
  }

  close(): void {
    this.#group.dataset('total_counts', BigInt(this.#events), { dtype: 'uint64' })
  }
}

interface FrameRow {
  readonly events: number
  readonly raw: number
  readonly frame: number
  readonly good: boolean
  readonly period: number
  readonly charge: number
}

/** One row for each frame. */
class FrameLogs {
  readonly #logs

  constructor(group: Group, startNs: bigint | undefined) {
    const log = (name: string, units?: string): NumberLog =>
      new NumberLog(group, name, units === undefined ? 'int32' : 'float32', startNs, units)
    this.#logs = {
      events: log('events_log'),
      raw: log('raw_events_log'),
      frame: log('frame_log'),
      good: log('good_frame_log'),
      period: log('period_log'),
      charge: log('proton_charge', 'uAh')
    }
  }

  append(timeNs: bigint, row: FrameRow): void {
    for (const [name, log] of Object.entries(this.#logs)) log.append(timeNs, Number(row[name as keyof FrameRow]))
  }
}

const RUNNING = 2

/** How the run stands, every half minute. */
class RunLogs {
  readonly event: TextLog
  readonly #logs: Readonly<Record<string, NumberLog>>
  #before: { timeNs: bigint; counts: number } | undefined

  constructor(group: Group, startNs: bigint | undefined) {
    const log = (name: string, units?: string): NumberLog =>
      new NumberLog(group, name, units === undefined ? 'int32' : 'float32', startNs, units)
    this.event = new TextLog(group, 'icp_event', startNs)
    this.#logs = {
      good_frames: log('good_frames'),
      raw_frames: log('raw_frames'),
      good_uah_log: log('good_uah_log', 'uAh'),
      raw_uah_log: log('raw_uah_log', 'uAh'),
      period: log('period'),
      run_status: log('run_status'),
      is_running: log('is_running'),
      total_counts: log('total_counts', 'Mev'),
      count_rate: log('count_rate', 'Mev/h')
    }
  }

  append(timeNs: bigint, sums: Sums, period: number): void {
    const counts = sums.rawCounts / 1e6
    const hours = this.#before === undefined ? 0 : Number(timeNs - this.#before.timeNs) / 3.6e12
    const rate = hours > 0 ? (counts - (this.#before?.counts ?? 0)) / hours : 0
    this.#before = { timeNs, counts }
    const row: Readonly<Record<string, number>> = {
      good_frames: sums.goodFrames,
      raw_frames: sums.rawFrames,
      good_uah_log: sums.goodCharge,
      raw_uah_log: sums.rawCharge,
      period,
      run_status: RUNNING,
      is_running: 1,
      total_counts: counts,
      count_rate: rate
    }
    for (const [name, log] of Object.entries(this.#logs)) log.append(timeNs, row[name] ?? 0)
  }
}
