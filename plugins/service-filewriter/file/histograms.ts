// Finds the histograms of a NeXus file that have a time of flight, and the beam that they were measured with.
import { type Beam, type CountedHistogram } from './sampled.js'
import { type PlayedNumbers, NumberRows, scaleOf, Unplayable } from './rows.js'
import { typedArrays } from '../../../schemas/numbers.js'
import { type WasmFile } from './wasm.js'

const classes = new Set(['NXdata', 'NXdetector', 'NXmonitor'])
/** Its cells, and their sums, are held in memory. */
const MOST_CELLS = 2 ** 26
/** Times of flight have 32 bits. */
const LAST_NS = 2 ** 31 - 1
/** ESS' pulses, where a file says none. */
const USUAL_HZ = 14

/**
 * Undefined for a group that is none, or whose counts are in `counted`: those of a detector are often linked from NXdata. Throws
 * Unplayable.
 */
export function histogramOf(file: WasmFile, path: string, counted: Set<number>): CountedHistogram | undefined {
  if (!classes.has(file.attributeText(path, 'NX_class') ?? '')) return undefined
  const isThere = (name: string): boolean => file.kind(`${path}/${name}`) === 'dataset'
  const axis = ['time_of_flight', 'tof'].find(isThere)
  const signal = [file.attributeText(path, 'signal') ?? '', 'data', 'counts'].find((name) => name !== '' && isThere(name)) // prettier-ignore
  if (axis === undefined || signal === undefined || signal === axis) return undefined
  const { shape, dtype, name } = file.form(`${path}/${signal}`) ?? { shape: [], dtype: undefined, name: 'nothing' }
  const wrong = `${signal} is ${name} of shape [${shape.join(', ')}]`
  const cells = shape.reduce((product, n) => product * n, 1)
  if (typeof dtype !== 'string' || shape.length < 1 || cells < 1 || cells > MOST_CELLS) throw new Unplayable(wrong)
  const address = file.address(`${path}/${signal}`)
  if (counted.has(address)) return undefined
  const times = new NumberRows(file, `${path}/${axis}`)
  const timeAxis = shape.findLastIndex((n) => n === times.count || n === times.count - 1)
  if (times.width !== undefined || timeAxis < 0) throw new Unplayable(`${wrong}, and ${axis} has ${times.count} times`)
  const edgesNs = edgesOf(times, shape[timeAxis]!, Number(scaleOf(file, `${path}/${axis}`)), axis)
  const bytes = file.read(`${path}/${signal}`, 0, shape[0]!, { dtype, row: shape.slice(1), chunk: 1, filters: [] }) // prettier-ignore
  const counts: PlayedNumbers = new typedArrays[dtype](new Uint8Array(bytes).buffer)
  for (let i = 0; i < counts.length; i++)
    if (!(Number(counts[i]) >= 0) || !Number.isSafeInteger(Number(counts[i]))) throw new Unplayable(`${signal} has ${String(counts[i])}, which is no count`) // prettier-ignore
  counted.add(address)
  return { path, counts, shape, timeAxis, edgesNs, pixelIds: pixelsOf(file, path, cells / shape[timeAxis]!) }
}

/** Centres become edges half-way between them. */
function edgesOf(times: NumberRows, bins: number, scale: number, axis: string): number[] {
  const given = Array.from({ length: times.count }, (_, i) => Number(times.at(i)) * scale)
  const step = (i: number): number => (given[i]! - given[i - 1]!) / 2
  const edges = given.length > bins ? given : [given[0]! - (bins > 1 ? step(1) : 0.5), ...given.slice(1).map((time, i) => time - step(i + 1)), given.at(-1)! + (bins > 1 ? step(bins - 1) : 0.5)] // prettier-ignore
  for (const [i, edge] of edges.entries())
    if (!(edge >= 0 && edge <= LAST_NS) || (i > 0 && Math.ceil(edge) <= Math.ceil(edges[i - 1]!)))
      throw new Unplayable(`${axis} does not rise by 1 ns and more, from 0 to 2.1 s`)
  return edges
}

/** Where the group has as many numbers of detectors as pixels. */
function pixelsOf(file: WasmFile, path: string, pixels: number): PlayedNumbers | undefined {
  for (const name of ['detector_number', 'spectrum_index']) {
    if (file.kind(`${path}/${name}`) !== 'dataset') continue
    const { shape, dtype } = file.form(`${path}/${name}`) ?? { shape: [], dtype: undefined }
    if (typeof dtype !== 'string' || shape.length === 0 || shape.reduce((product, n) => product * n, 1) !== pixels) continue // prettier-ignore
    const bytes = file.read(`${path}/${name}`, 0, shape[0]!, { dtype, row: shape.slice(1), chunk: 1, filters: [] }) // prettier-ignore
    return new typedArrays[dtype](new Uint8Array(bytes).buffer)
  }
  return undefined
}

/** Of the first entry: when it began, and how often its source pulses. */
export function beamOf(file: WasmFile): Beam {
  let [startMs, hertz] = [Number.NaN, Number.NaN]
  const todo = ['']
  const seen = new Set<number>()
  for (const group of todo)
    for (const name of file.children(group === '' ? '/' : group)) {
      const path = `${group}/${name}`
      if (file.isLink(path)) continue
      const kind = file.kind(path)
      if (kind === 'group' && !seen.has(file.address(path))) {
        seen.add(file.address(path))
        todo.push(path)
      }
      if (kind !== 'dataset') continue
      const nxClass = file.attributeText(group === '' ? '/' : group, 'NX_class')
      if (Number.isNaN(startMs) && name === 'start_time' && nxClass === 'NXentry') startMs = momentOf(file.text(path))
      if (Number.isNaN(hertz) && name === 'frequency' && nxClass === 'NXsource') hertz = firstOf(file, path)
    }
  const isSound = hertz >= 0.1 && hertz <= 10_000
  return { startNs: BigInt(startMs > 0 ? startMs : 1000) * 1_000_000n, pulsesPerSecond: isSound ? hertz : USUAL_HZ }
}

/** ms since 1970; NaN for what is no time. Zones may be written without a colon. */
function momentOf(text = ''): number {
  const iso = text
    .trim()
    .replace(' ', 'T')
    .replace(/([+-]\d\d)(\d\d)$/, '$1:$2')
  return Date.parse(/(Z|[+-]\d\d:\d\d)$/i.test(iso) ? iso : `${iso}Z`)
}

function firstOf(file: WasmFile, path: string): number {
  const { shape, dtype } = file.form(path) ?? { shape: [], dtype: undefined }
  if (typeof dtype !== 'string' || shape.length !== 1 || shape[0] === 0) return Number.NaN
  const bytes = file.read(path, 0, 1, { dtype, row: [], chunk: 1, filters: [] })
  return Number(new typedArrays[dtype](new Uint8Array(bytes).buffer)[0])
}
