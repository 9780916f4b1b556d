// One histogram while it counts: which events go where, what it shows, what it says of itself.
import { type EventRecord, element } from '../../../schemas/index.js'
import { BinAxis } from '../bins/axis.js'
import { BinCounts } from '../bins/counts.js'
import { type Events } from '../bins/events.js'
import { byPixel, byTable, byTime, byTimeAndPixel, type Fill } from '../bins/fill.js'
import { type HistogramSpec, SLICES } from '../spec.js'
import { type HistogramProgress, type HistogramState } from './protocol.js'

function fillOf({ kind, tofEdges, pixelEdges, pixels, firstPixel, cells, map }: HistogramSpec): Fill {
  const time = tofEdges === null ? undefined : new BinAxis(tofEdges)
  if (kind === 'image') return byPixel(firstPixel, cells)
  if (kind === 'rows') return byTable(map!)
  if (kind === 'roi') return byTable(map!, time)
  if (kind === 'tof_pixel') return byTimeAndPixel(time!, new BinAxis(pixelEdges!))
  return byTime(time!, pixels ?? undefined)
}

/** Images of so many cells do not fit into the first cache. */
const LEAST_LOW = 8192

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
  /** Counted since the start, whatever is shown. */
  counted = 0
  /** What is shown. */
  readonly counts: BinCounts
  readonly #fill: Fill
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
    const { fold_ns: fold, cells } = this.spec
    const tof = fold === undefined ? events.tof : events.folded(fold)
    const base = period * cells
    const counted = this.#fill(events, tof, this.#present.ready(events.count), base)
    this.#present.sum += counted
    if (this.#present !== this.counts && counted > 0) {
      // Shown is the sum of all slices, which costs a second count but no sum over all cells
      this.#fill(events, tof, this.counts.ready(events.count), base)
      this.counts.sum += counted
    }
    this.counted += counted
    this.outside += Math.max(0, events.count - counted)
    if (counted > 0) this.version++
  }

  /** A message of the topic was read, counted or not. */
  heard(record: EventRecord): void {
    if (this.state === 'INITIALISED') {
      this.state = 'COUNTING'
      this.version++
    }
    const { referenceTime: times } = record
    const ns = BigInt(element(times, 0))
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
    for (const { counts } of this.#slices) counts.clear()
    this.#slices.length = 0
    this.monitor = this.#presentMonitor = 0
    this.firstPulseNs = 0n
    this.counted = this.outside = 0
    this.version++
  }

  #newCounts(): BinCounts {
    return new BinCounts(this.size, this.spec.kind === 'image' && this.size >= LEAST_LOW)
  }

  progress(): HistogramProgress {
    const { id, topic } = this.spec
    const { state, rate, sent, outside } = this
    return { id, topic, state, sum: this.counts.sum, rate, sent, outside }
  }
}
