// pu00: what ISIS says about each pulse, as logs; and what readers want of it in sum: frames, charge and counts, per period.
import { BadMessage, type JSONSchema, type Options } from '../../core/api/plugin.js'
import {
  SecondsColumn,
  timeAttributes,
  type Column,
  type Group,
  type Writer,
  type WriterContext
} from '../service-filewriter/writer-kit.js'
import { element } from '../../schemas/reader.js'
import { Sums } from './entry.js'
import { type PulseRecord, type EventRecord, type VectorType } from '../../schemas/index.js'

export const pulseConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    period_offset: {
      type: 'integer',
      minimum: 0,
      maximum: 1,
      default: 1,
      description: 'Added to period numbers: messages count from 0, NeXus files from 1.'
    },
    flavour: {
      enum: ['usual', 'mantid'],
      default: 'usual',
      description: 'mantid: times of the logs in seconds since the start of the run. A file of flavour mantid sets it.'
    }
  }
} as const satisfies JSONSchema

/** Pulses and counts that wait for each other; at 50 Hz six minutes. */
const MOST_WAITING = 20_000
const MOST_PERIODS = 10_000

/** A log in a group of its own. */
class PulseLog {
  readonly #value: Column
  readonly #time: { append(timestampNs: bigint): void }

  /** With `startNs` its times are seconds since then. */
  constructor(parent: Group, name: string, dtype: VectorType, units: string | undefined, startNs: bigint | undefined) {
    const group = parent.group(name, { NX_class: 'NXlog', signal: 'value', axes: ['time'] })
    this.#value = group.column('value', { dtype, attributes: units === undefined ? {} : { units } })
    if (startNs !== undefined) {
      this.#time = new SecondsColumn(group, 'time', startNs)
      return
    }
    const column = group.column('time', { dtype: 'uint64', index: true, attributes: timeAttributes })
    this.#time = { append: (timestampNs) => column.appendBigInt(timestampNs) }
  }

  append(value: number, timestampNs: bigint): void {
    this.#value.appendNumber(value)
    this.#time.append(timestampNs)
  }
}

interface Pulse {
  readonly sums: Sums
  readonly good: boolean
}

export class PulseWriter implements Writer<PulseRecord | EventRecord> {
  readonly #periodLog: PulseLog
  readonly #chargeLog: PulseLog
  readonly #vetoLog: PulseLog
  readonly #periods = new Map<number, Sums>()
  readonly #total = new Sums()
  /** Pulses by time, for the events that come after them, and counts for which the pulse has not come yet. */
  readonly #pulses = new Map<bigint, Pulse>()
  readonly #waiting = new Map<bigint, number>()
  #events = false

  readonly #group: Group
  readonly #config: Options<typeof pulseConfig>
  readonly #context: WriterContext

  constructor(group: Group, config: Options<typeof pulseConfig>, context: WriterContext) {
    this.#group = group
    this.#config = config
    this.#context = context

    const startNs = config.flavour === 'mantid' ? (context.run?.startNs ?? 0n) : undefined
    this.#periodLog = new PulseLog(group, 'period_log', 'uint32', undefined, startNs)
    this.#chargeLog = new PulseLog(group, 'proton_charge_log', 'float32', 'uAh', startNs)
    this.#vetoLog = new PulseLog(group, 'veto_log', 'uint32', undefined, startNs)
    group.attribute('default', 'period_log')
  }

  write(record: PulseRecord | EventRecord, schemaId: string): void {
    if (schemaId === 'pu00') this.#pulse(record as PulseRecord)
    else this.#count(record as EventRecord)
  }

  close(): void {
    const total = this.#total,
      group = this.#group
    const lost = [...this.#waiting.values()].reduce((sum, n) => sum + n, 0)
    if (lost > 0) this.#context.count('events_without_pulse', lost)
    if (total.rawFrames === 0) return
    group.dataset('raw_frames', total.rawFrames, { dtype: 'uint64' })
    group.dataset('good_frames', total.goodFrames, { dtype: 'uint64' })
    const units = { units: 'uAh' }
    group.dataset('proton_charge_raw', total.rawCharge, { dtype: 'float64', attributes: units })
    group.dataset('proton_charge', total.goodCharge, { dtype: 'float64', attributes: units })
    if (this.#events) {
      group.dataset('total_counts_raw', total.rawCounts, { dtype: 'uint64' })
      group.dataset('total_counts', total.goodCounts, { dtype: 'uint64' })
    }
    if (this.#periods.size > 0) this.#writePeriods()
  }

  #writePeriods(): void {
    const list = [...this.#periods].sort(([a], [b]) => a - b)
    const sums = list.map(([, each]) => each)
    const group = this.#group.group('periods', { NX_class: 'NXcollection' })
    const put = (name: string, of: (sums: Sums) => number, dtype: VectorType, units?: string): void =>
      group.dataset(name, sums.map(of), { dtype, attributes: units === undefined ? {} : { units } })
    group.dataset('number', list.length, { dtype: 'int32' })
    group.dataset('period_number', list.map(([number]) => number), { dtype: 'uint32' }) // prettier-ignore
    put('raw_frames', (each) => each.rawFrames, 'uint64')
    put('good_frames', (each) => each.goodFrames, 'uint64')
    put('proton_charge_raw', (each) => each.rawCharge, 'float64', 'uAh')
    put('proton_charge', (each) => each.goodCharge, 'float64', 'uAh')
    if (!this.#events) return
    put('total_counts_raw', (each) => each.rawCounts, 'uint64')
    put('total_counts', (each) => each.goodCounts, 'uint64')
  }

  #pulse({ timestampNs, vetos, period, protonCharge }: PulseRecord): void {
    const number = period === null ? null : period + this.#config.period_offset
    const sums = number === null ? new Sums() : this.#periodOf(number)
    if (number !== null) this.#periodLog.append(number, timestampNs)
    if (protonCharge !== null) this.#chargeLog.append(protonCharge, timestampNs)
    if (vetos !== null) this.#vetoLog.append(vetos, timestampNs)
    // A pulse whose vetoes nobody knows counts as good
    const good = vetos === null || vetos === 0
    const charge = protonCharge !== null && Number.isFinite(protonCharge) ? protonCharge : 0
    for (const each of [this.#total, sums]) {
      each.rawFrames++
      each.rawCharge += charge
      if (!good) continue
      each.goodFrames++
      each.goodCharge += charge
    }
    const pulse = { sums, good }
    this.#pulses.set(timestampNs, pulse)
    const [oldest] = this.#pulses.keys()
    if (this.#pulses.size > MOST_WAITING && oldest !== undefined) this.#pulses.delete(oldest)
    const counts = this.#waiting.get(timestampNs)
    if (counts === undefined) return
    this.#waiting.delete(timestampNs)
    this.#add(pulse, counts)
  }

  #periodOf(number: number): Sums {
    let sums = this.#periods.get(number)
    if (sums !== undefined) return sums
    if (this.#periods.size >= MOST_PERIODS || number > 0xffffffff)
      throw new BadMessage('period_number', `period ${number} is beyond the ${MOST_PERIODS} that a run can have`)
    this.#periods.set(number, (sums = new Sums()))
    return sums
  }

  #count({ referenceTime, referenceTimeIndex, timeOfFlight }: EventRecord): void {
    this.#events = true
    const pulses = referenceTime.length
    const first = (i: number): number => {
      if (i >= pulses) return timeOfFlight.length
      return referenceTimeIndex === null ? 0 : Number(element(referenceTimeIndex, i))
    }
    // From behind: an index below 0 means no events, as the next one then starts where this one would
    let end = timeOfFlight.length
    for (let i = pulses - 1; i >= 0; i--) {
      const start = first(i)
      if (start < 0) continue
      if (start > end) throw new BadMessage('pulse_index', `pulse index ${start} of ${end} events`)
      this.#counts(element(referenceTime, i) as bigint, end - start)
      end = start
    }
    if (end > 0) this.#context.count('events_without_pulse', end)
  }

  #counts(timestampNs: bigint, n: number): void {
    if (n === 0) return
    const pulse = this.#pulses.get(timestampNs)
    if (pulse !== undefined) return this.#add(pulse, n)
    this.#waiting.set(timestampNs, (this.#waiting.get(timestampNs) ?? 0) + n)
    const [oldest] = this.#waiting
    if (this.#waiting.size <= MOST_WAITING || oldest === undefined) return
    this.#waiting.delete(oldest[0])
    this.#context.count('events_without_pulse', oldest[1])
  }

  #add({ sums, good }: Pulse, n: number): void {
    for (const each of [this.#total, sums]) {
      each.rawCounts += n
      if (good) each.goodCounts += n
    }
  }
}
