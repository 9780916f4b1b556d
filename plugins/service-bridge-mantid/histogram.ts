// Histograms in the words of Mantid's Kafka listener: hs00 with times of flight first, spectra behind, as doubles.
import { BadMessage, type OutMessage } from '../../core/api/plugin.js'
import { type Dimension, element, encodeMessage, type HistogramRecord, msOf, type Vector } from '../../schemas/index.js'

/** µs in a unit of time. */
const micros: Readonly<Record<string, number>> = { ns: 1e-3, us: 1, µs: 1, microsecond: 1, microseconds: 1, ms: 1e3, s: 1e6 } // prettier-ignore

const isTime = ({ unit, label }: Dimension): boolean => Object.hasOwn(micros, unit) || /tof|time/i.test(`${unit} ${label}`) // prettier-ignore

/**
 * One or two axes, one of them times. Mantid takes the edges of times in µs, their number as the first of the shape, and the counts of
 * one spectrum after the other. Throws BadMessage.
 */
export function histogramMessage(record: HistogramRecord): OutMessage {
  const { dimensions, currentShape, data, offset, timestampNs } = record
  const time = dimensions.findIndex(isTime)
  const dimension = dimensions[time]
  if (dimension === undefined || dimensions.length > 2)
    throw new BadMessage('no_time_axis', `${dimensions.length} axes, of which one has to be times of flight`)
  if (offset?.some((one) => one !== 0) === true || dimensions.some(({ length }, i) => length !== currentShape[i]))
    throw new BadMessage('part_of_histogram', 'a part of a larger histogram')
  const [bins, spectra] = [currentShape[time] ?? 0, dimensions.length === 2 ? (currentShape[1 - time] ?? 0) : 1]
  const { edges, unit } = dimension
  if (edges?.length !== bins + 1)
    throw new BadMessage('no_edges', `${edges?.length ?? 0} edges of ${bins} bins of time`)
  const scale = micros[unit] ?? 1
  const at = time === 0 ? (bin: number, spectrum: number) => bin * spectra + spectrum : (bin: number, spectrum: number) => spectrum * bins + bin // prettier-ignore
  const counts = Float64Array.from({ length: bins * spectra }, (_, i) => Number(element(data, at(i % bins, Math.floor(i / bins))))) // prettier-ignore
  const value = encodeMessage('hs00', {
    source: record.source,
    timestamp: timestampNs,
    dim_metadata: [
      { length: bins + 1, unit: 'TOF', label: 'TOF', bin_boundaries: doubles(Float64Array.from({ length: bins + 1 }, (_, i) => scale * Number(element(edges, i)))) }, // prettier-ignore
      { length: spectra, unit: 'Counts', label: 'spectrum', bin_boundaries: doubles(Float64Array.from({ length: spectra }, (_, i) => i + 1)) } // prettier-ignore
    ],
    last_metadata_timestamp: record.lastMetadataTimestampNs,
    current_shape: [bins + 1, spectra],
    data: doubles(counts),
    info: record.info
  })
  return { value, timestampMs: msOf(timestampNs) }
}

function doubles({ buffer, length }: Float64Array) {
  const vector: Vector = { dtype: 'float64', length, bytes: new Uint8Array(buffer) }
  return { type: 'ArrayDouble', value: { value: vector } }
}
