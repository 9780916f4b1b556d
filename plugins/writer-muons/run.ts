// Module `muon_run`: a run as the files of ISIS' muon instruments have it, in the entry.
import { type JSONSchema, type Options, version } from '../../core/api/plugin.js'
import { type MuonEvents } from '../../schemas/index.js'
import {
  type Column,
  type Group,
  type RunInfo,
  SecondsColumn,
  type Writer,
  type WriterContext
} from '../service-filewriter/writer-kit.js'
import { muonConfig, MuonWriter } from './events.js'

export const muonRunConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    chunk_size: muonConfig.properties.chunk_size,
    veto_mask: {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      default: 65_535,
      description: 'A frame is good when it is of a run that runs, and none of these bits is in its vetoes.'
    },
    charge_uah: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 1.738e-6,
      description: 'Proton charge of one count of protons_per_pulse, µAh.'
    }
  }
} as const satisfies JSONSchema

/** Names in the entry that are there at the end only. */
export const madeByMuonRun = [
  'end_time', 'duration', 'good_frames', 'raw_frames', 'proton_charge', 'proton_charge_raw', 'periods'
] // prettier-ignore

const text = { dtype: 'string' } as const
const IDF_VERSION = 2
const TEXT_BYTES = 128
const MOST_PERIODS = 10_000
const iso = (ns: bigint): string => new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)
/** Digits that the name ends in. */
const numberOf = (name: string): number => Math.min(2 ** 31 - 1, Number(/\d+$/.exec(name)?.[0] ?? 0))

/** Of one period. */
interface Frames {
  raw: number
  good: number
}

export class MuonRunWriter implements Writer<MuonEvents> {
  readonly #events: MuonWriter
  /** Of frames without all digitisers: which there were. */
  readonly #present: Column
  readonly #presentTime: SecondsColumn
  readonly #periods: Frames[] = []
  #raw = 0
  #good = 0
  #rawCharge = 0
  #goodCharge = 0
  #lastNs = 0n

  readonly #group: Group
  readonly #config: Options<typeof muonRunConfig>
  readonly #context: WriterContext

  constructor(group: Group, config: Options<typeof muonRunConfig>, context: WriterContext) {
    this.#group = group
    this.#config = config
    this.#context = context
    const detector = group.group('detector_1', { NX_class: 'NXevent_data' })
    // Files count periods from 1, as Mantid does
    this.#events = new MuonWriter(detector, { chunk_size: config.chunk_size, period_offset: 1 })
    const log = group.group('runlog', { NX_class: 'IXrunlog' }).group('SuperMuSRDataPipeline_DigitisersPresentInIncompleteFrame', { NX_class: 'NXlog' }) // prettier-ignore
    this.#present = log.column('value', { dtype: { string: TEXT_BYTES }, row: [1] })
    this.#presentTime = new SecondsColumn(log, 'time', context.run?.startNs)
    writeAbout(group, context.run)
  }

  write(record: MuonEvents): void {
    const { frame, complete, digitisers } = record
    this.#events.write(record)
    const { timestampNs, period, protonsPerPulse, running, vetoes } = frame
    const isGood = running && (vetoes & this.#config.veto_mask) === 0
    const charge = protonsPerPulse * this.#config.charge_uah
    this.#raw++
    this.#rawCharge += charge
    if (isGood) {
      this.#good++
      this.#goodCharge += charge
    }
    if (period < MOST_PERIODS) {
      const frames = (this.#periods[Number(period)] ??= { raw: 0, good: 0 })
      frames.raw++
      if (isGood) frames.good++
    }
    if (timestampNs > this.#lastNs) this.#lastNs = timestampNs
    if (complete === true) return
    this.#context.count('frame_incomplete', 1, 'warning')
    this.#present.appendString([...digitisers].join())
    this.#presentTime.append(timestampNs)
  }

  close(): void {
    const group = this.#group
    const { run } = this.#context
    this.#events.close()
    const startNs = run?.startNs ?? this.#lastNs
    const endNs = run?.stopNs ?? this.#lastNs
    const charge = { dtype: 'float32', attributes: { units: 'uAh' } } as const
    group.dataset('end_time', iso(endNs), { ...text, attributes: { units: 'ISO8601' } })
    group.dataset('duration', Math.max(0, Number(endNs - startNs) / 1e9), { dtype: 'float32', attributes: { units: 'second' } }) // prettier-ignore
    group.dataset('good_frames', this.#good, { dtype: 'int32' })
    group.dataset('raw_frames', this.#raw, { dtype: 'int32' })
    group.dataset('proton_charge', this.#goodCharge, charge)
    group.dataset('proton_charge_raw', this.#rawCharge, charge)
    this.#writePeriods(Math.max(1, run?.periods ?? 1, this.#periods.length))
  }

  #writePeriods(number: number): void {
    const periods = this.#group.group('periods', { NX_class: 'IXperiods' })
    const all = Array.from({ length: number }, (_, i) => this.#periods[i] ?? { raw: 0, good: 0 })
    periods.dataset('number', number, { dtype: 'int32' })
    periods.dataset('type', all.map(() => 1), { dtype: 'int32' }) // prettier-ignore
    periods.dataset('raw_frames', all.map(({ raw }) => raw), { dtype: 'int32' }) // prettier-ignore
    periods.dataset('good_frames', all.map(({ good }) => good), { dtype: 'int32' }) // prettier-ignore
    periods.dataset('labels', all.map((_, i) => `period ${i + 1}`).join(';'), text)
  }
}

function writeAbout(group: Group, run: RunInfo | undefined): void {
  const name = run?.instrumentName ?? ''
  group.dataset('IDF_version', IDF_VERSION, { dtype: 'int32' })
  group.dataset('definition', 'muonTD', text)
  group.dataset('program_name', 'nexstream', { ...text, attributes: { version } })
  group.dataset('run_number', numberOf(run?.runName ?? ''), { dtype: 'int32' })
  group.dataset('name', name, text)
  group.dataset('start_time', iso(run?.startNs ?? 0n), { ...text, attributes: { units: 'ISO8601' } })
}
