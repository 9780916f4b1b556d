// One histogram while it counts: which events go where, what it shows, what it says of itself.
import { AxisPair } from '../bins/axis.js'
import { BinCounts, type CellLayout } from '../bins/counts.js'
import { type Events } from '../bins/events.js'
import * as fills from '../bins/fill.js'
import { type HistogramSpec, SLICES } from '../spec.js'
import { type ArrayRecord, countArray, kept, sumOf } from './arrays.js'
import { type HistogramProgress, type HistogramState } from './protocol.js'

function fillOf(spec: HistogramSpec): fills.Fill {
  const { kind, tofEdges, pixelEdges, pixels, firstPixel, cells, map, fold_ns: fold = 0 } = spec
  if (kind === 'image' && tofEdges === null) return fills.byPixel(firstPixel, cells)
  if (kind === 'rows') return fills.byTable(map!)
  if (kind === 'copy') return () => 0
  const time = { axis: AxisPair.for(tofEdges!), column: fold }
  if (kind === 'image') return fills.byPixelInTime(time, firstPixel, cells)
  if (kind === 'roi') return fills.byTableAndTime(map!, time)
  if (kind === 'tof_pixel') return fills.byTimeAndPixel(time, AxisPair.for(pixelEdges!))
  if (kind === 'spectra') return fills.byPixelAndTime(time, firstPixel, cells / time.axis.signed.bins)
  return fills.byTime(time, pixels ?? undefined)
}

/** Images of so many cells do not fit into the first cache. */
const LEAST_LOW = 8192

function layoutOf({ kind, pixels, periods, cells }: HistogramSpec, size: number): CellLayout {
  if (kind === 'image') return cells >= LEAST_LOW ? 'low' : 'plain'
  return kind === 'tof' && pixels === null && periods === null && size < 2 ** 20 ? 'kernel' : 'plain'
}

export class Histogram {
  state: HistogramState = 'INITIALISED'
  /** Ns of the latest pulse; 0n before any. */
  lastPulseNs = 0n
  /** Of the first one since the start or the last reset. */
  firstPulseNs = 0n
  /** Another number after each change of what it shows. */
  version = 0
  /** Events of the monitor in the same time. */
  monitor = 0
  outside = 0
  sent = 0
  rate = 0
  error: string | undefined
  /** Of kind `copy`: the latest that came. */
  copy: ArrayRecord | undefined
  /** Counted since the start, whatever is shown. */
  counted = 0
  /** What is shown. */
  readonly counts: BinCounts
  readonly #fill: fills.Fill
  /** Of the last n seconds: those that are over, oldest first; the present one. */
  readonly #slices: { readonly counts: BinCounts; readonly monitor: number }[] = []
  #present: BinCounts
  #presentMonitor = 0
  #sliceEndsMs = 0

  constructor(readonly spec: HistogramSpec) {
    this.#fill = fillOf(spec)
    this.counts = this.#newCounts()
    this.#present = spec.show === 'last' ? this.#newCounts() : this.counts
  }

  /** Cells, periods included. */
  get size(): number {
    return this.spec.cells * (this.spec.periods?.count ?? 1)
  }

  accepts(schema: string): boolean {
    return this.spec.schemas.includes(schema)
  }

  /** @param period - 0 without periods */
  take(events: Events, period: number): void {
    const base = period * this.spec.cells
    const counted = this.#fill(events, this.#present.ready(events.count), base)
    this.#present.sum += counted
    if (this.#present !== this.counts && counted > 0) {
      // Shown is the sum of all slices, which costs a second count but no sum over all cells
      this.#fill(events, this.counts.ready(events.count), base)
      this.counts.sum += counted
    }
    this.counted += counted
    this.outside += Math.max(0, events.count - counted)
    if (counted > 0) this.version++
  }

  /** A histogram that came: counted, or taken for what is shown. Gives why it was not. */
  takeArray(array: ArrayRecord): string | undefined {
    const { kind, max_cells: most } = this.spec
    if (kind === 'copy') {
      if (array.data.length > most) return 'too_large'
      this.copy = kept(array)
      this.counted = this.counts.sum = sumOf(array)
    } else {
      const counted = countArray(this.spec, array, this.#present.doubles())
      if (counted === undefined) return 'other_shape'
      this.#present.sum += counted
      if (this.#present !== this.counts) {
        countArray(this.spec, array, this.counts.doubles())
        this.counts.sum += counted
      }
      this.counted += counted
    }
    this.version++
    return undefined
  }

  /** A message of the topic was read, counted or not; `ns` is the time of its pulse. */
  heard(ns: bigint): void {
    if (this.state === 'INITIALISED') {
      this.state = 'COUNTING'
      this.version++
    }
    if (this.firstPulseNs === 0n) this.firstPulseNs = ns
    if (ns > this.lastPulseNs) this.lastPulseNs = ns
  }

  hearMonitor(events: number): void {
    if (events === 0) return
    this.monitor += events
    this.#presentMonitor += events
    this.version++
  }

  /** What is older than the last n seconds goes. */
  turn(nowMs: number): void {
    const { show, lastMs } = this.spec
    if (show !== 'last') return
    const sliceMs = lastMs / SLICES
    if (this.#sliceEndsMs === 0) this.#sliceEndsMs = nowMs + sliceMs
    while (nowMs >= this.#sliceEndsMs) {
      this.#sliceEndsMs += sliceMs
      this.#slices.push({ counts: this.#present, monitor: this.#presentMonitor })
      const old = this.#slices.length > SLICES ? this.#slices.shift() : undefined
      if (old !== undefined && (old.counts.sum > 0 || old.monitor > 0)) {
        this.counts.subtract(old.counts)
        this.monitor -= old.monitor
        this.version++
      }
      if (old !== undefined && old.counts.sum > 0) old.counts.clear()
      this.#present = old?.counts ?? this.#newCounts()
      this.#presentMonitor = 0
    }
  }

  /** What it shows has been taken. */
  shown(): void {
    if (this.spec.show !== 'current' || (this.counts.sum === 0 && this.monitor === 0)) return
    this.counts.clear()
    this.monitor = 0
    this.version++
  }

  reset(): void {
    this.counts.clear()
    this.#present.clear()
    for (const { counts } of this.#slices) counts.release()
    this.#slices.length = 0
    this.monitor = this.#presentMonitor = 0
    this.firstPulseNs = 0n
    this.counted = this.outside = 0
    this.version++
  }

  #newCounts(): BinCounts {
    return new BinCounts(this.size, layoutOf(this.spec, this.size))
  }

  /** Nothing is counted any more. */
  release(): void {
    for (const counts of new Set([this.counts, this.#present, ...this.#slices.map((one) => one.counts)]))
      counts.release()
  }

  progress(): HistogramProgress {
    const { id, topic } = this.spec
    const { state, rate, sent, outside } = this
    return { id, topic, state, sum: this.counts.sum, rate, sent, outside }
  }
}
