// The loops that count events: one for each kind of histogram. Each gives how many it counted.
import { type AxisPair } from './axis.js'
import { type BinCounts } from './counts.js'
import { type EventColumn, type Events } from './events.js'
import { kernel } from './wasm/kernel.js'

/** Counts the events of a piece of a message in the cells from `base` on. */
export type Fill = (events: Events, counts: BinCounts, base: number) => number

/** An axis of time of flight: as it comes, or modulo a period. */
export interface TimeAxis {
  readonly axis: AxisPair
  readonly column: EventColumn
}

/** Along time of flight; with pixels `from` to `to` (both inclusive) only these. */
export function byTime({ axis, column }: TimeAxis, pixels?: readonly [from: number, to: number]): Fill {
  if (pixels !== undefined) return byTimeOf({ axis, column }, pixels)
  return (events, { cells, place }, base) => {
    const { bins: size } = axis.signed
    const { numbers, at } = events.bins(axis.of(events.isUnsigned(column)), column)
    // The cell after the last is the next period's
    if (place !== undefined && base === 0) return kernel!.count(at, events.count, place, size)
    return countAll(numbers, events.count, size, cells, base)
  }
}

function byTimeOf({ axis, column }: TimeAxis, [from, to]: readonly [number, number]): Fill {
  return (events, { cells }, base) => {
    const { pixel } = events
    if (pixel.length === 0) return 0
    const { bins: size } = axis.signed
    const { numbers } = events.bins(axis.of(events.isUnsigned(column)), column)
    const first = events.isUnsigned('pixel') ? from : Math.max(from, -(2 ** 31))
    const width = (events.isUnsigned('pixel') ? to : Math.min(to, 2 ** 31 - 1)) - first
    let counted = 0
    for (let i = 0; i < pixel.length; i++) {
      const bin = numbers[i]!
      if (bin >= size || ((pixel[i]! - first) | 0) >>> 0 > width) continue
      cells[base + bin]!++
      counted++
    }
    return counted
  }
}

/** Time of flight × pixel, pixel fastest. */
export function byTimeAndPixel({ axis, column }: TimeAxis, pixels: AxisPair): Fill {
  return (events, { cells }, base) => {
    const { count, pixel } = events
    if (pixel.length === 0) return 0
    const [size, stride] = [axis.signed.bins, pixels.signed.bins]
    const { numbers } = events.bins(axis.of(events.isUnsigned(column)), column)
    const { numbers: columns } = events.bins(pixels.of(events.isUnsigned('pixel')), 'pixel')
    let counted = 0
    for (let i = 0; i < count; i++) {
      const [bin, place] = [numbers[i]!, columns[i]!]
      if (bin >= size || place >= stride) continue
      cells[base + bin * stride + place]!++
      counted++
    }
    return counted
  }
}

/** Pixels from `first` on, so many, each with a spectrum. */
export function byPixelAndTime({ axis, column }: TimeAxis, first: number, pixels: number): Fill {
  return (events, { cells }, base) => {
    const { pixel } = events
    const stride = axis.signed.bins
    const { numbers } = events.bins(axis.of(events.isUnsigned(column)), column)
    let counted = 0
    for (let i = 0; i < pixel.length; i++) {
      const d = ((pixel[i]! - first) | 0) >>> 0
      const bin = numbers[i]!
      if (d >= pixels || bin >= stride) continue
      cells[base + d * stride + bin]!++
      counted++
    }
    return counted
  }
}

/** Pixels `first` on, one cell each. */
export function byPixel(first: number, size: number): Fill {
  return ({ pixel }, { cells, low }, base) =>
    low === undefined
      ? countPixels(pixel, { first, size, base }, cells)
      : countLow(pixel, { first, size, base }, cells, low)
}

/** The same, of the events whose time is in the only bin of the axis. */
export function byPixelInTime({ axis, column }: TimeAxis, first: number, size: number): Fill {
  return (events, { cells, low }, base) => {
    const { pixel } = events
    if (pixel.length === 0) return 0
    const { numbers } = events.bins(axis.of(events.isUnsigned(column)), column)
    let counted = 0
    for (let i = 0; i < pixel.length; i++) {
      const d = ((pixel[i]! - first) | 0) >>> 0
      if (d >= size || numbers[i]! > 0) continue
      counted++
      if (low === undefined) cells[base + d]!++
      else if ((low[base + d] = low[base + d]! + 1) === 256) cells[base + d]! += 256
    }
    return counted
  }
}

interface PixelRange {
  readonly first: number
  readonly size: number
  readonly base: number
}

function countPixels(pixel: Int32Array, { first, size, base }: PixelRange, cells: Uint32Array): number {
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

function countLow(pixel: Int32Array, { first, size, base }: PixelRange, cells: Uint32Array, low: Uint8Array): number {
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

/** By a table of pixels, one cell for each of its places. */
export function byTable({ first, layers }: PixelMap): Fill {
  return ({ pixel }, { cells }, base) => {
    let counted = 0
    for (const layer of layers)
      for (let i = 0; i < pixel.length; i++) {
        const d = ((pixel[i]! - first) | 0) >>> 0
        const place = d < layer.length ? layer[d]! : -1
        if (place < 0) continue
        cells[base + place]!++
        counted++
      }
    return counted
  }
}

/** By a table of pixels, each place of which has a spectrum. */
export function byTableAndTime({ first, layers }: PixelMap, { axis, column }: TimeAxis): Fill {
  return (events, { cells }, base) => {
    const { pixel } = events
    const stride = axis.signed.bins
    if (pixel.length === 0) return 0
    const { numbers } = events.bins(axis.of(events.isUnsigned(column)), column)
    let counted = 0
    for (const layer of layers)
      for (let i = 0; i < pixel.length; i++) {
        const d = ((pixel[i]! - first) | 0) >>> 0
        const bin = numbers[i]!
        const place = d < layer.length && bin < stride ? layer[d]! : -1
        if (place < 0) continue
        cells[base + place * stride + bin]!++
        counted++
      }
    return counted
  }
}

function countAll(numbers: Int32Array, length: number, size: number, cells: Uint32Array, base: number): number {
  let counted = 0
  for (let i = 0; i < length; i++) {
    const bin = numbers[i]!
    if (bin >= size) continue
    cells[base + bin]!++
    counted++
  }
  return counted
}
