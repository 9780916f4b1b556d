// Fields of the entry, `periods` and `isis_vms_compat` as ISIS' own files have them.
import { version } from '../../core/api/plugin.js'
import { type Group, type RunInfo } from '../service-filewriter/writer-kit.js'

/** Sums over frames: all, and good ones. */
export class Sums {
  rawFrames = 0
  goodFrames = 0
  rawCharge = 0
  goodCharge = 0
  rawCounts = 0
  goodCounts = 0

  /** @param frames - 0 for more events of a frame that is in already */
  add(good: boolean, charge: number, counts: number, frames = 1): void {
    this.rawFrames += frames
    this.rawCharge += charge
    this.rawCounts += counts
    if (!good) return
    this.goodFrames += frames
    this.goodCharge += charge
    this.goodCounts += counts
  }
}

export interface RunSums {
  readonly total: Sums
  readonly byPeriod: ReadonlyMap<number, Sums>
  readonly periods: number
}

const text = { dtype: 'string' } as const
/** Without a zone, as readers of these files take it. */
const iso = (ns: bigint): string => new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)
const time = { ...text, attributes: { units: 'ISO8601' } }

export function writeAbout(group: Group, run: RunInfo | undefined): void {
  const [digits = '0'] = /\d+$/.exec(run?.runName ?? '') ?? []
  const number = Number(digits) < 2 ** 31 ? Number(digits) : 0
  group.dataset('definition', 'TOFRAW', { ...text, attributes: { version: '1.0' } })
  group.dataset('definition_local', 'ISISTOFRAW', text)
  group.dataset('program_name', 'nexstream', { ...text, attributes: { version } })
  group.dataset('run_number', number, { dtype: 'int32' })
  const name = run?.instrumentName ?? ''
  group.dataset('name', name, { ...text, attributes: { short_name: name.slice(0, 3) } })
  group.dataset('start_time', iso(run?.startNs ?? 0n), time)
}

/** What is known at the beginning. */
export function writeCompat(group: Group, run: RunInfo | undefined): Group {
  const compat = group.group('isis_vms_compat', { NX_class: 'IXvms' })
  compat.dataset('NAME', run?.instrumentName ?? '', text)
  compat.dataset('NPER', [run?.periods ?? 1], { dtype: 'int32' })
  return compat
}

/** Places in the block of the run, as the old raw files have them. */
const raw = { goodCharge: 7, rawCharge: 8, goodFrames: 9, rawFrames: 10, proposal: 21 } as const
const RUN_BLOCK = 32
const SAMPLE_BLOCK = 64

/** What readers of histograms take from the old header: the blocks of run and sample, whole numbers and real ones. */
export function writeRaw(compat: Group, total: Sums, experiment: string): void {
  const whole = new Int32Array(RUN_BLOCK)
  const real = new Float32Array(RUN_BLOCK)
  whole[raw.goodFrames] = total.goodFrames
  whole[raw.rawFrames] = total.rawFrames
  // Its digits are all that the old header has room for
  const [digits = '0'] = /\d+$/.exec(experiment) ?? []
  whole[raw.proposal] = Number(digits) < 2 ** 31 ? Number(digits) : 0
  real[raw.goodCharge] = total.goodCharge
  real[raw.rawCharge] = total.rawCharge
  compat.dataset('IRPB', whole, { dtype: 'int32', shape: [RUN_BLOCK] })
  compat.dataset('RRPB', real, { dtype: 'float32', shape: [RUN_BLOCK] })
  compat.dataset('SPB', new Int32Array(SAMPLE_BLOCK), { dtype: 'int32', shape: [SAMPLE_BLOCK] })
  compat.dataset('RSPB', new Float32Array(SAMPLE_BLOCK), { dtype: 'float32', shape: [SAMPLE_BLOCK] })
}

export function writeEnd(
  group: Group,
  { total, byPeriod, periods }: RunSums,
  { startNs, endNs, fields }: { readonly startNs: bigint; readonly endNs: bigint; readonly fields: boolean }
): void {
  writePeriods(group, byPeriod, periods)
  if (!fields) return
  const charge = { dtype: 'float32', attributes: { units: 'uAh' } } as const
  group.dataset('good_frames', total.goodFrames, { dtype: 'int32' })
  group.dataset('raw_frames', total.rawFrames, { dtype: 'int32' })
  group.dataset('proton_charge', total.goodCharge, charge)
  group.dataset('proton_charge_raw', total.rawCharge, charge)
  group.dataset('end_time', iso(endNs), time)
  const seconds = Math.max(0, Number(endNs - startNs) / 1e9)
  for (const name of ['duration', 'collection_time'])
    group.dataset(name, seconds, { dtype: 'float32', attributes: { units: 'second' } })
}

const DATA_PERIOD = 1

function writePeriods(group: Group, byPeriod: ReadonlyMap<number, Sums>, periods: number): void {
  const into = group.group('periods', { NX_class: 'IXperiods' })
  const all = Array.from({ length: periods }, (_, i) => byPeriod.get(i + 1) ?? new Sums())
  const whole = (name: string, of: (sums: Sums) => number): void => into.dataset(name, all.map(of), { dtype: 'int32' })
  const real = (name: string, units: string, of: (sums: Sums) => number): void =>
    into.dataset(name, all.map(of), { dtype: 'float32', attributes: { units } })
  into.dataset('number', periods, { dtype: 'int32' })
  into.dataset('highest_used', Math.max(0, ...byPeriod.keys()), { dtype: 'int32' })
  whole('good_frames', ({ goodFrames }) => goodFrames)
  whole('raw_frames', ({ rawFrames }) => rawFrames)
  whole('good_frames_daq', ({ goodFrames }) => goodFrames)
  whole('sequences', ({ rawFrames }) => (rawFrames > 0 ? 1 : 0))
  whole('frames_requested', () => 0)
  whole('type', () => DATA_PERIOD)
  whole('output', () => 0)
  real('proton_charge', 'uAh', ({ goodCharge }) => goodCharge)
  real('proton_charge_raw', 'uAh', ({ rawCharge }) => rawCharge)
  real('total_counts', 'Mev', ({ rawCounts }) => rawCounts / 1e6)
  into.dataset('labels', all.map((_, i) => `period ${i + 1}`).join(';'), text)
}
