// Calibration of charge division: which unit of a group a position belongs to, and where in the unit it truly is.
import { CodedError } from '../../core/api/plugin.js'
import { type Counter, type ReadoutSetup } from '../service-event-formation/readout-kit.js'

/** Units of a group must be so far from each other. */
const CLOSEST = 0.000_01

/** Straws or tubes that are read out as one, by which the geometries count. */
const unitsOf = { loki: 7, bifrost: 3, tbl3he: 1 } as const
export type Instrument = keyof typeof unitsOf

/** Of positions along a group, for a quick look. */
export const BINS = 256

interface CalibrationFile {
  readonly instrument?: unknown
  readonly groups?: unknown
  readonly groupsize?: unknown
  readonly Parameters?: unknown
}
interface GroupParameters {
  readonly groupindex?: unknown
  readonly intervals?: unknown
  readonly polynomials?: unknown
}

const wrong = (path: string, message: string): never => {
  throw new CodedError('DETECTOR_INVALID', message, { path: `/calibration/Calibration${path}` })
}

const isNumbers = (value: unknown, length: number): value is number[] =>
  Array.isArray(value) && value.length === length && value.every((n) => typeof n === 'number' && Number.isFinite(n))

export class Calibration {
  readonly groups: number
  readonly #size: number
  /** By group and unit. */
  readonly #from: Float64Array
  readonly #to: Float64Array
  /** The same, the lower and the higher one. */
  readonly #low: Float64Array
  readonly #high: Float64Array
  /** Four numbers of each unit. */
  readonly polynomials: Float64Array
  /** By group and bin of x: the unit that all of the bin is in and none before it; -1 where that has to be looked for. */
  readonly sure: Int8Array
  readonly #groupErrors: Counter
  readonly #outside: Counter
  readonly #clampedLow: Counter
  readonly #clampedHigh: Counter

  /** Throws DETECTOR_INVALID. */
  constructor({ calibration, counter }: Pick<ReadoutSetup, 'calibration' | 'counter'>, instrument: Instrument) {
    this.#groupErrors = counter('geometry.calib_group_errors')
    this.#outside = counter('geometry.outside_tube')
    this.#clampedLow = counter('geometry.pos_low')
    this.#clampedHigh = counter('geometry.pos_high')
    const file = (calibration as { Calibration?: CalibrationFile | null } | undefined)?.Calibration
    if (typeof file !== 'object' || file === null)
      throw new CodedError('DETECTOR_INVALID', `${instrument} needs a calibration`, { path: '/calibration' })
    if (file.instrument !== instrument) wrong('/instrument', `is not '${instrument}'`)
    this.groups = wholeOf(file.groups, '/groups')
    this.#size = wholeOf(file.groupsize, '/groupsize')
    const size = unitsOf[instrument]
    if (this.#size !== size)
      wrong('/groupsize', `is ${this.#size}; a group of ${instrument} has ${size} (straws or tubes)`)
    const units = this.groups * this.#size
    this.#from = new Float64Array(units)
    this.#to = new Float64Array(units)
    this.#low = new Float64Array(units)
    this.#high = new Float64Array(units)
    this.polynomials = new Float64Array(units * 4)
    this.sure = new Int8Array(this.groups * BINS).fill(-1)
    const { Parameters: all } = file
    if (!Array.isArray(all) || all.length !== this.groups) return wrong('/Parameters', `must be ${this.groups} groups`)
    for (const [group, one] of all.entries()) this.#read(one as GroupParameters, group)
  }

  /** The unit, counted through all groups, that x of the group is in; -1, and counted, when there is none. */
  unit(group: number, x: number): number {
    if (group >= this.groups) {
      this.#groupErrors.value++
      return -1
    }
    const first = group * this.#size
    if (x >= 0 && x < 1) {
      const sure = this.sure[group * BINS + ((x * BINS) | 0)]!
      if (sure >= 0) return first + sure
    }
    const low = this.#low
    const high = this.#high
    const end = first + this.#size
    for (let unit = first; unit < end; unit++) if (x >= low[unit]! && x <= high[unit]!) return unit
    this.#outside.value++
    return -1
  }

  /** Where in the unit x lies: 0 where its interval begins, 1 where it ends, which may be lower. */
  within(unit: number, x: number): number {
    return (x - this.#from[unit]!) / (this.#to[unit]! - this.#from[unit]!)
  }

  /** The unit of this number in a group. */
  unitOf(group: number, unit: number): number {
    return group * this.#size + unit
  }

  /** The x that is so far within a unit, from 0 to 1; the inverse of `within`. */
  at(unit: number, within: number): number {
    return this.#from[unit]! + within * (this.#to[unit]! - this.#from[unit]!)
  }

  /** With what the polynomial of the unit says taken off x, 0 to 1. */
  corrected(unit: number, x: number): number {
    const p = this.polynomials
    const at = unit * 4
    const value = x - (p[at]! + x * (p[at + 1]! + x * (p[at + 2]! + x * p[at + 3]!)))
    if (value < 0) {
      this.#clampedLow.value++
      return 0
    }
    if (value > 1) {
      this.#clampedHigh.value++
      return 1
    }
    return value
  }

  #read({ groupindex, intervals, polynomials }: GroupParameters, group: number): void {
    const path = `/Parameters/${group}`
    const size = this.#size
    if (groupindex !== group) wrong(`${path}/groupindex`, `must be ${group}`)
    if (!Array.isArray(intervals) || intervals.length !== size) return wrong(`${path}/intervals`, `must be ${size}`)
    if (!Array.isArray(polynomials) || polynomials.length !== size) return wrong(`${path}/polynomials`, `must be ${size}`) // prettier-ignore
    for (let i = 0; i < size; i++) {
      const [interval, polynomial] = [intervals[i] as unknown, polynomials[i] as unknown]
      if (!isNumbers(interval, 2) || interval.some((x) => x < 0 || x > 1)) return wrong(`${path}/intervals/${i}`, 'must be two numbers from 0 to 1') // prettier-ignore
      if (!isNumbers(polynomial, 4)) return wrong(`${path}/polynomials/${i}`, 'must be four numbers')
      const unit = group * size + i
      this.#from[unit] = interval[0]!
      this.#to[unit] = interval[1]!
      this.#low[unit] = Math.min(interval[0]!, interval[1]!)
      this.#high[unit] = Math.max(interval[0]!, interval[1]!)
      this.polynomials.set(polynomial, unit * 4)
    }
    this.#requireApart(group, path)
    for (let bin = 0; bin < BINS; bin++) {
      const [from, to] = [bin / BINS, (bin + 1) / BINS]
      const touched = Array.from({ length: size }, (_, i) => i).filter((i) => this.#low[group * size + i]! <= to && this.#high[group * size + i]! >= from) // prettier-ignore
      const [only, other] = touched
      if (only === undefined || other !== undefined) continue
      const unit = group * size + only
      if (this.#low[unit]! <= from && this.#high[unit]! >= to) this.sure[group * BINS + bin] = only
    }
  }

  #requireApart(group: number, path: string): void {
    const first = group * this.#size
    const spans = Array.from({ length: this.#size }, (_, i) => [this.#from[first + i]!, this.#to[first + i]!].toSorted((a, b) => a - b)) // prettier-ignore
    const sorted = spans.toSorted((a, b) => a[0]! - b[0]!)
    for (let i = 1; i < sorted.length; i++)
      if (sorted[i]![0]! - sorted[i - 1]![1]! < CLOSEST) wrong(`${path}/intervals`, `overlap, or are less than ${CLOSEST} apart`) // prettier-ignore
  }
}

function wholeOf(value: unknown, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 100_000) return value
  return wrong(path, 'must be a whole number above 0')
}
