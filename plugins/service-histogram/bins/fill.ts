// The loops that count events: one for each kind of histogram. Each gives how many it counted.
import { type BinAxis } from './axis.js'
import { type Cells, type BinCounts } from './counts.js'
import { type Events, Scratch } from './events.js'

const scratch = new Scratch()
const scratch2 = new Scratch()

/** BinCounts the events of a message in the cells from `base` on. */
export type Fill = (events: Events, tof: Int32Array, counts: BinCounts, base: number) => number

/** Along time of flight; with pixels `from` to `to` (both inclusive) only these. */
export function byTime(axis: BinAxis, pixels?: readonly [from: number, to: number]): Fill {
  if (pixels !== undefined) return byTimeOf(axis, pixels)
  if (!axis.isEven)
    return (_events, tof, { cells }, base) => {
      const bins = scratch.take(tof.length)
      axis.map(tof, bins)
      return countAll(bins, cells, base)
    }
  return (_events, tof, { cells }, base) => {
    // Of this call: what a closure holds would be loaded for each event
    const { first, span, scale, shift } = axis
    const { length } = tof
    let counted = 0
    for (let i = 0; i < length; i++) {
      const d = ((tof[i]! - first) | 0) >>> 0
      if (d <= span) {
        cells[base + ((d * scale + shift) | 0)]!++
        counted++
      }
    }
    return counted
  }
}

function byTimeOf(axis: BinAxis, [from, to]: readonly [number, number]): Fill {
  const width = to - from
  return ({ pixel }, tof, { cells }, base) => {
    if (pixel.length === 0) return 0
    const bins = scratch.take(tof.length)
    axis.map(tof, bins)
    let counted = 0
    for (let i = 0; i < tof.length; i++) {
      const bin = bins[i]!
      if (bin < 0 || ((pixel[i]! - from) | 0) >>> 0 > width) continue
      cells[base + bin]!++
      counted++
    }
    return counted
  }
}

/** Time of flight × pixel, pixel fastest. */
export function byTimeAndPixel(time: BinAxis, pixels: BinAxis): Fill {
  const stride = pixels.bins
  return ({ pixel }, tof, { cells }, base) => {
    if (pixel.length === 0) return 0
    const bins = scratch.take(tof.length)
    const columns = scratch2.take(tof.length)
    time.map(tof, bins)
    pixels.map(pixel, columns)
    let counted = 0
    for (let i = 0; i < tof.length; i++) {
      const [bin, column] = [bins[i]!, columns[i]!]
      if ((bin | column) < 0) continue
      cells[base + bin * stride + column]!++
      counted++
    }
    return counted
  }
}

/** Pixels `first` on, one cell each. */
export function byPixel(first: number, size: number): Fill {
  return ({ pixel }, _tof, { cells, low }, base) =>
    low === undefined
      ? countPixels(pixel, { first, size, base }, cells)
      : countLow(pixel, { first, size, base }, cells, low)
}

interface PixelRange {
  readonly first: number
  readonly size: number
  readonly base: number
}

function countPixels(pixel: Int32Array, { first, size, base }: PixelRange, cells: Cells): number {
  const { length } = pixel
  let counted = 0
  for (let i = 0; i < length; i++) {
    const d = ((pixel[i]! - first) | 0) >>> 0
    if (d >= size) continue
    cells[base + d]!++
    counted++
  }
  return counted
}

function countLow(pixel: Int32Array, { first, size, base }: PixelRange, cells: Cells, low: Uint8Array): number {
  const { length } = pixel
  let counted = 0
  for (let i = 0; i < length; i++) {
    const d = ((pixel[i]! - first) | 0) >>> 0
    if (d >= size) continue
    const n = low[base + d]! + 1
    low[base + d] = n
    if (n === 256) cells[base + d]! += 256
    counted++
  }
  return counted
}

/** Which cell (or row of cells) each pixel belongs to, -1 none; several where areas overlap. */
export interface PixelMap {
  readonly first: number
  readonly layers: readonly Int32Array[]
}

/** By a table of pixels; with a time axis each place of the table has a spectrum. */
export function byTable({ first, layers }: PixelMap, time?: BinAxis): Fill {
  const stride = time?.bins ?? 1
  return ({ pixel }, tof, { cells }, base) => {
    const { length } = pixel
    const bins = scratch.take(length)
    if (length === 0) return 0
    if (time === undefined) bins.fill(0)
    else time.map(tof, bins)
    let counted = 0
    for (const layer of layers)
      for (let i = 0; i < length; i++) {
        const d = ((pixel[i]! - first) | 0) >>> 0
        const bin = bins[i]!
        const place = d < layer.length && bin >= 0 ? layer[d]! : -1
        if (place < 0) continue
        cells[base + place * stride + bin]!++
        counted++
      }
    return counted
  }
}

function countAll(bins: Int32Array, cells: Cells, base: number): number {
  let counted = 0
  for (let i = 0; i < bins.length; i++) {
    const bin = bins[i]!
    if (bin < 0) continue
    cells[base + bin]!++
    counted++
  }
  return counted
}
