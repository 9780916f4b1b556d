// Calibration of VMM3a chips: offset and slope of charge and fine time, for each channel of each chip of a hybrid.
import { CodedError } from '../../core/api/plugin.js'

const CHANNELS = 64
const CHIPS = 2
const kinds = ['adc_offset', 'adc_slope', 'tdc_offset', 'tdc_slope'] as const

const wrong = (path: string, message: string): never => {
  throw new CodedError('DETECTOR_INVALID', message, { path: `/calibration${path}` })
}

type VmmChannels = Readonly<Record<(typeof kinds)[number], Float64Array>>

/** By hybrid, chip and channel; as it comes where there is no calibration. */
export class VmmCalibration {
  readonly #channels: VmmChannels

  /** @param ids - HybridId of each hybrid */
  constructor(file: unknown, ids: readonly string[]) {
    const make = (value: number): Float64Array => new Float64Array(ids.length * CHIPS * CHANNELS).fill(value)
    this.#channels = { adc_offset: make(0), adc_slope: make(1), tdc_offset: make(0), tdc_slope: make(1) }
    if (file === undefined) return
    const { Calibrations: all } = file as { Calibrations?: unknown }
    if (!Array.isArray(all)) return wrong('/Calibrations', 'must be a list')
    for (const [i, one] of all.entries()) {
      const path = `/Calibrations/${i}/VMMHybridCalibration`
      const its = (one as { VMMHybridCalibration?: Record<string, unknown> } | null)?.VMMHybridCalibration
      if (typeof its !== 'object') return wrong(path, 'is missing')
      const hybrid = ids.indexOf(String(its['HybridId']))
      if (hybrid < 0) return wrong(`${path}/HybridId`, 'is no hybrid of the detector')
      for (let chip = 0; chip < CHIPS; chip++)
        this.#read(its[`vmm${chip}`], hybrid * CHIPS + chip, `${path}/vmm${chip}`)
    }
  }

  /** Number of a channel, for the others. */
  channel(hybrid: number, chip: number, channel: number): number {
    return (hybrid * CHIPS + chip) * CHANNELS + channel
  }

  charge(channel: number, raw: number): number {
    const value = (raw - this.#channels.adc_offset[channel]!) * this.#channels.adc_slope[channel]!
    return Math.trunc(Math.max(0, Math.min(1023, value)))
  }

  /** What the fine time adds, ns. */
  time(channel: number, tdc: number): number {
    return (1.5 * 22.72 - (60 * tdc) / 255 - this.#channels.tdc_offset[channel]!) * this.#channels.tdc_slope[channel]!
  }

  #read(chip: unknown, index: number, path: string): void {
    for (const kind of kinds) {
      const values = (chip as Record<string, unknown> | undefined)?.[kind]
      if (!Array.isArray(values) || values.length !== CHANNELS || !values.every((n) => typeof n === 'number' && Number.isFinite(n))) return wrong(`${path}/${kind}`, `must be ${CHANNELS} numbers`) // prettier-ignore
      this.#channels[kind].set(values as number[], index * CHANNELS)
    }
  }
}
