// Counts by period, spectrum and time of flight, as the histogram files of ISIS have them: of good frames.
import { CodedError, type JSONSchema, type Options } from '../../core/api/plugin.js'
import { type Group, type WriterContext } from '../service-filewriter/writer-kit.js'
import { type IsisFrame } from './frames.js'
import { type DetectorTables, writeSpectra } from './tables.js'

export const countsConfig = {
  type: 'object',
  additionalProperties: false,
  required: ['spectra', 'tof_us', 'bins'],
  properties: {
    spectra: {
      type: 'integer',
      minimum: 1,
      maximum: 16_777_216,
      description: 'Spectra, numbered from 1; event ids are their numbers.'
    },
    tof_us: {
      type: 'array',
      items: { type: 'number' },
      minItems: 2,
      maxItems: 2,
      description: 'First and last edge of the times of flight, µs.'
    },
    bins: { type: 'integer', minimum: 1, maximum: 1_000_000, description: 'Equal bins of time.' }
  },
  description: 'Write `detector_N` with counts by period, spectrum and time, too, as a histogram file of ISIS has them.'
} as const satisfies JSONSchema

type CountsConfig = Options<typeof countsConfig>

/** Of all periods together: 256 MiB. */
const MOST_CELLS = 2 ** 26

const AXES = ['period_index', 'spectrum_index', 'time_of_flight']
/** Of its group. */
export const countsAttributes = { NX_class: 'NXdata', signal: 'counts', axes: AXES }

export class IsisCounts {
  /** By period, from 0. */
  readonly #periods: (Int32Array | undefined)[] = []
  readonly #edges: Float32Array
  readonly #group: Group
  readonly #config: CountsConfig
  readonly #context: WriterContext
  readonly #tables: DetectorTables | undefined

  /** Throws STRUCTURE_INVALID where it would be too large, or its times do not ascend. */
  constructor(group: Group, config: CountsConfig, context: WriterContext, tables?: DetectorTables) {
    const [from = 0, to = 0] = config.tof_us
    const cells = config.spectra * config.bins
    if (cells > MOST_CELLS)
      throw new CodedError('STRUCTURE_INVALID', `${config.spectra} spectra of ${config.bins} bins are more than ${MOST_CELLS} cells`, { path: '/histogram' }) // prettier-ignore
    if (!(to > from)) throw new CodedError('STRUCTURE_INVALID', `times from ${from} to ${to} µs`, { path: '/histogram/tof_us' }) // prettier-ignore
    this.#group = group
    this.#config = config
    this.#context = context
    this.#tables = tables
    this.#edges = Float32Array.from({ length: config.bins + 1 }, (_, i) => from + (i * (to - from)) / config.bins)
  }

  /** @param period - from 1 */
  add({ parts, events }: IsisFrame, period: number): void {
    if (events === 0) return
    const counts = this.#of(period - 1)
    if (counts === undefined) return this.#context.count('histogram_full', events)
    const { spectra, bins, tof_us: range } = this.#config
    const [from = 0, to = 0] = range
    const scale = bins / (to - from)
    let outside = 0
    for (const { offsets, ids } of parts)
      for (let i = 0; i < ids.length; i++) {
        const [spectrum, bin] = [ids[i]! - 1, Math.floor((offsets[i]! - from) * scale)]
        if (spectrum >= 0 && spectrum < spectra && bin >= 0 && bin < bins) counts[spectrum * bins + bin]!++
        else outside++
      }
    if (outside > 0) this.#context.count('outside_histogram', outside, 'warning')
  }

  /** @param ofRun - its periods */
  close(ofRun: number): void {
    const { spectra, bins } = this.#config
    const size = spectra * bins
    const periods = Math.min(ofRun, Math.floor(MOST_CELLS / size))
    const all = new Int32Array(periods * size)
    for (const [period, counts] of this.#periods.entries()) if (counts !== undefined) all.set(counts, period * size)
    this.#group.dataset('counts', all, {
      dtype: 'int32',
      shape: [periods, spectra, bins],
      attributes: { signal: 1, axes: AXES.join(), units: 'counts' }
    })
    if (this.#tables !== undefined) writeSpectra(this.#group, this.#tables, spectra)
    const numbers = (length: number): Int32Array => Int32Array.from({ length }, (_, i) => i + 1)
    this.#group.dataset('period_index', numbers(periods), { dtype: 'int32', shape: [periods] })
    this.#group.dataset('spectrum_index', numbers(spectra), { dtype: 'int32', shape: [spectra] })
    this.#group.dataset('time_of_flight', this.#edges, { dtype: 'float32', shape: [bins + 1], attributes: { units: 'microsecond' } }) // prettier-ignore
  }

  #of(period: number): Int32Array | undefined {
    const { spectra, bins } = this.#config
    const known = this.#periods[period]
    if (known !== undefined) return known
    // The file has all periods up to the last one
    if ((period + 1) * spectra * bins > MOST_CELLS) return undefined
    return (this.#periods[period] = new Int32Array(spectra * bins))
  }
}
