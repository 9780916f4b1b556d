// Readouts of multi-blade detectors, made up: a wire and a strip for each event.
import { indexAt, putReadoutHead, type ReadoutWriter } from '../service-event-formation/readout-kit.js'
import { type MultiBladeConfig } from './config.js'
import { geometries } from './geometry.js'
import { SIZE } from './readout.js'

/** Over threshold, and a charge that is. */
const CHARGE = 0x8000 | 1000

export function multiBladeWriter({ Config: hybrids, InstrumentGeometry }: MultiBladeConfig): ReadoutWriter {
  const { chipOfX, isXWires } = geometries[InstrumentGeometry]
  const sorted = hybrids.toSorted((a, b) => a.CassetteNumber - b.CassetteNumber)
  return {
    size: 2 * SIZE,
    write(view, at, hit) {
      const { u, v } = hit
      // Across the cassettes go the wires
      const [across, along] = isXWires ? [u, v] : [v, u]
      const row = indexAt(across, 32 * sorted.length)
      const { Ring, FEN, Hybrid } = sorted[row >> 5]!
      const wire = isXWires ? 16 + (row & 31) : 47 - (row & 31)
      const strip = 63 - indexAt(along, 64)
      const chips = [isXWires ? wire : strip, isXWires ? strip : wire]
      for (const [i, channel] of chips.entries()) {
        const start = at + i * SIZE
        const chip = i === 0 ? chipOfX : 1 - chipOfX
        putReadoutHead(view, start, { ring: Ring, fen: FEN, size: SIZE }, hit)
        view.setUint16(start + 14, CHARGE, true)
        view.setUint8(start + 18, 2 * Hybrid + chip)
        view.setUint8(start + 19, channel)
      }
    }
  }
}
