// Readouts of multi-blade detectors, made up: a wire and a strip for each event.
import { type ReadoutWriter } from '../service-event-formation/readout-kit.js'
import { type MultiBladeConfig } from './config.js'
import { geometries } from './geometry.js'
import { SIZE } from './readout.js'

/** Over threshold, and a charge that is. */
const CHARGE = 0x8000 | 1000

export function multiBladeWriter({ Config: hybrids, InstrumentGeometry }: MultiBladeConfig): ReadoutWriter {
  const { chipOfX, isXWires } = geometries[InstrumentGeometry]
  const sorted = hybrids.toSorted((a, b) => a.CassetteNumber - b.CassetteNumber)
  const last = (share: number, count: number): number => Math.min(count - 1, Math.floor(share * count))
  return {
    size: 2 * SIZE,
    write(view, at, { u, v, seconds, ticks }) {
      // Across the cassettes go the wires
      const [across, along] = isXWires ? [u, v] : [v, u]
      const row = last(across, 32 * sorted.length)
      const { Ring, FEN, Hybrid } = sorted[row >> 5]!
      const wire = isXWires ? 16 + (row & 31) : 47 - (row & 31)
      const strip = 63 - last(along, 64)
      const chips = [isXWires ? wire : strip, isXWires ? strip : wire]
      for (const [i, channel] of chips.entries()) {
        const start = at + i * SIZE
        const chip = i === 0 ? chipOfX : 1 - chipOfX
        view.setUint8(start, 2 * Ring)
        view.setUint8(start + 1, FEN)
        view.setUint16(start + 2, SIZE, true)
        view.setUint32(start + 4, seconds, true)
        view.setUint32(start + 8, ticks, true)
        view.setUint16(start + 14, CHARGE, true)
        view.setUint8(start + 18, 2 * Hybrid + chip)
        view.setUint8(start + 19, channel)
      }
    }
  }
}
