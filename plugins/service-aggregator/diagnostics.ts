// What ISIS' diagnostics tell of a run, by their names: frames, events and charge, in sum and of the period that is.
import { type WholeFrame } from './aggregate.js'

class FrameCounts {
  rawFrames = 0
  goodFrames = 0
  rawCharge = 0
  goodCharge = 0
  events = 0

  add(isGood: boolean, charge: number, events: number): void {
    this.rawFrames++
    this.rawCharge += charge
    this.events += events
    if (!isGood) return
    this.goodFrames++
    this.goodCharge += charge
  }
}

/** Names of the values that ISIS' clients know; µAh, millions of events an hour. */
export interface RunDiagnostics {
  readonly TOTALEVENTS: number
  readonly MEVENTS: number
  readonly COUNTRATE: number
  readonly GOODFRAMES: number
  readonly RAWFRAMES: number
  readonly GOODUAH: number
  readonly RAWUAH: number
  readonly GOODFRAMES_PD: number
  readonly RAWFRAMES_PD: number
  readonly GOODUAH_PD: number
  readonly RAWUAH_PD: number
  /** From 1. */
  readonly PERIOD: number
}

const MS_PER_HOUR = 3_600_000
const MOST_PERIODS = 10_000
/** The rate is over so long. */
const RATE_MS = 2000

export class FrameDiagnostics {
  #total = new FrameCounts()
  #byPeriod = new Map<number, FrameCounts>()
  #period = 0
  /** Events and time of the look before, for the rate. */
  #before: { readonly events: number; readonly ms: number } | undefined
  #rate = 0
  readonly #mask: number

  /** @param mask - a frame is good when none of these bits is in its vetoes */
  constructor(mask: number) {
    this.#mask = mask
  }

  /** A run begins. */
  begin(): void {
    this.#total = new FrameCounts()
    this.#byPeriod = new Map()
    this.#before = undefined
    this.#rate = 0
  }

  add({ vetoes, period, charge, events }: WholeFrame): void {
    const isGood = (vetoes & this.#mask) === 0
    const n = events.reduce((sum, { tof }) => sum + tof.length, 0)
    this.#period = period
    this.#total.add(isGood, charge, n)
    this.#of(period)?.add(isGood, charge, n)
  }

  /** @param nowMs - of a clock that does not go back */
  look(nowMs: number): RunDiagnostics {
    const { events, goodFrames, rawFrames, goodCharge, rawCharge } = this.#total
    const before = this.#before
    if (before === undefined || nowMs - before.ms >= RATE_MS) {
      const passed = nowMs - (before?.ms ?? nowMs)
      this.#rate = passed > 0 ? ((events - (before?.events ?? 0)) / 1e6 / passed) * MS_PER_HOUR : 0
      this.#before = { events, ms: nowMs }
    }
    const now = this.#byPeriod.get(this.#period) ?? new FrameCounts()
    return {
      TOTALEVENTS: events,
      MEVENTS: events / 1e6,
      COUNTRATE: this.#rate,
      GOODFRAMES: goodFrames,
      RAWFRAMES: rawFrames,
      GOODUAH: goodCharge,
      RAWUAH: rawCharge,
      GOODFRAMES_PD: now.goodFrames,
      RAWFRAMES_PD: now.rawFrames,
      GOODUAH_PD: now.goodCharge,
      RAWUAH_PD: now.rawCharge,
      PERIOD: this.#period + 1
    }
  }

  #of(period: number): FrameCounts | undefined {
    let counts = this.#byPeriod.get(period)
    if (counts === undefined && this.#byPeriod.size < MOST_PERIODS)
      this.#byPeriod.set(period, (counts = new FrameCounts()))
    return counts
  }
}
