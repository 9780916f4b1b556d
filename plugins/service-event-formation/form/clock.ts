// The pulse that events belong to, and their times after it: doubles relative to the pulse, exact for any date.
import { type PulseClock, ticksToNs } from '../readout-kit.js'
import { type NamedCounters } from './counters.js'

const NS = 1_000_000_000n

/** 20 pulses of 14 Hz. */
const LONGEST_NS = 1_428_571_420

export class FormationClock implements PulseClock {
  /** Whether the last time was counted from the previous pulse. */
  isPrevious = false
  isSet = false
  longestNs = LONGEST_NS
  seconds = 0
  nanoseconds = 0
  #longestPulseNs = 0
  #previousSeconds = 0
  #previousNs = 0
  readonly #good
  readonly #high
  readonly #negative
  readonly #previous
  readonly #previousHigh
  readonly #previousNegative

  /** @param changed - called before another pulse takes the place of the present one; what is held goes with that when it keeps */
  constructor(
    counters: NamedCounters,
    readonly compatible: boolean,
    readonly changed: (keeps: boolean) => void
  ) {
    this.#good = counters.get('events.timestamp.tof.count')
    this.#high = counters.get('events.timestamp.tof.high')
    this.#negative = counters.get('events.timestamp.tof.negative')
    this.#previous = counters.get('events.timestamp.prevtof.count')
    this.#previousHigh = counters.get('events.timestamp.prevtof.high')
    this.#previousNegative = counters.get('events.timestamp.prevtof.negative')
  }

  get pulseNs(): bigint {
    return BigInt(this.seconds) * NS + BigInt(this.nanoseconds)
  }

  get previousNs(): bigint {
    return BigInt(this.#previousSeconds) * NS + BigInt(this.#previousNs)
  }

  limits(longestNs: number, longestPulseNs: number): void {
    // The field's program keeps both in 32 bits
    this.longestNs = this.compatible ? longestNs >>> 0 : Math.min(longestNs, 2 ** 31 - 1)
    this.#longestPulseNs = this.compatible ? longestPulseNs >>> 0 : longestPulseNs
  }

  /** Whether the previous pulse is too long ago. */
  isTooLong(seconds: number, ns: number, previousSeconds: number, previousNs: number): boolean {
    return this.#longestPulseNs > 0 && (seconds - previousSeconds) * 1e9 + (ns - previousNs) > this.#longestPulseNs
  }

  pulse(
    seconds: number,
    nanoseconds: number,
    previousSeconds: number,
    previousNanoseconds: number,
    keeps = false
  ): void {
    const isSame =
      this.isSet &&
      seconds === this.seconds &&
      nanoseconds === this.nanoseconds &&
      (this.compatible || (previousSeconds === this.#previousSeconds && previousNanoseconds === this.#previousNs))
    if (!isSame && this.isSet) this.changed(keeps)
    this.isSet = true
    this.seconds = seconds
    this.nanoseconds = nanoseconds
    this.#previousSeconds = previousSeconds
    this.#previousNs = previousNanoseconds
  }

  counted(times: number): void {
    this.#good.value += times
  }

  tof(seconds: number, ticks: number): number {
    return this.tofOfNs(seconds, ticksToNs(ticks))
  }

  tofOfNs(seconds: number, nanoseconds: number): number {
    this.isPrevious = false
    const tof = (seconds - this.seconds) * 1e9 + (nanoseconds - this.nanoseconds)
    if (tof >= 0) {
      if (tof <= this.longestNs) {
        this.#good.value++
        return tof
      }
      this.#high.value++
      return -1
    }
    this.#negative.value++
    const late = (seconds - this.#previousSeconds) * 1e9 + (nanoseconds - this.#previousNs)
    if (late < 0) this.#previousNegative.value++
    else if (late > this.longestNs) this.#previousHigh.value++
    else {
      this.#previous.value++
      this.isPrevious = true
      return late
    }
    return -1
  }
}
