// Readouts of VMM3a, made up: a hit of each plane for each event.
import {
  type GeneratedHit,
  indexAt,
  putReadoutHead,
  type ReadoutWriter
} from '../service-event-formation/readout-kit.js'
import { CodedError } from '../../core/api/plugin.js'
import { type MultiBladeConfig, type NmxConfig, type TrexConfig } from './config.js'
import { geometries } from './geometry.js'
import { type NmxHybrid, stripOf } from './nmx.js'
import { SIZE } from './readout.js'
import { gridOf, vesselsOf, wireOf } from './trex.js'

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
      const channels = [isXWires ? wire : strip, isXWires ? strip : wire] as const
      put(view, at, { ring: Ring, fen: FEN, vmm: 2 * Hybrid + chipOfX, channel: channels[0] }, hit)
      put(view, at + SIZE, { ring: Ring, fen: FEN, vmm: 2 * Hybrid + 1 - chipOfX, channel: channels[1] }, hit)
    }
  }
}

interface VmmHit {
  readonly ring: number
  readonly fen: number
  readonly vmm: number
  readonly channel: number
}

function put(view: DataView, at: number, { ring, fen, vmm, channel }: VmmHit, hit: GeneratedHit): void {
  putReadoutHead(view, at, { ring, fen, size: SIZE }, hit)
  view.setUint16(at + 14, CHARGE, true)
  view.setUint8(at + 18, vmm)
  view.setUint8(at + 19, channel)
}

/** A channel and its place in the picture. */
interface PlacedChannel extends VmmHit {
  readonly place: number
}

const CHANNELS = 64
const channelsOf = (
  { Ring, FEN, Hybrid }: { readonly Ring: number; readonly FEN: number; readonly Hybrid: number },
  placeOf: (chip: number, channel: number) => number
): PlacedChannel[] =>
  Array.from({ length: 2 * CHANNELS }, (_, i) => {
    const [chip, channel] = [Math.trunc(i / CHANNELS), i % CHANNELS]
    return { ring: Ring, fen: FEN, vmm: 2 * Hybrid + chip, channel, place: placeOf(chip, channel) }
  }).filter(({ place }) => place >= 0)

/** Picture by picture, side by side: what of each is hit. */
function pairWriter(
  pictures: readonly (readonly [across: readonly PlacedChannel[], up: readonly PlacedChannel[]])[]
): ReadoutWriter {
  // prettier-ignore
  const whole = pictures.filter(([across, up]) => across.length > 0 && up.length > 0)
  if (whole.length === 0) throw new CodedError('DETECTOR_INVALID', 'no part has both of its planes', { path: '/config/Config' }) // prettier-ignore
  return {
    size: 2 * SIZE,
    write(view, at, hit) {
      const picture = indexAt(hit.u, whole.length)
      const [across, up] = whole[picture]!
      put(view, at, across[indexAt(hit.u * whole.length - picture, across.length)]!, hit)
      put(view, at + SIZE, up[indexAt(hit.v, up.length)]!, hit)
    }
  }
}

const byPlace = (channels: readonly PlacedChannel[]): PlacedChannel[] => channels.toSorted((a, b) => a.place - b.place)

export function nmxWriter({ Config: hybrids, NumPanels }: NmxConfig): ReadoutWriter {
  const strips = (panel: number, plane: NmxHybrid['Plane']): PlacedChannel[] =>
    byPlace(
      hybrids
        .filter((one) => one.Panel === panel && one.Plane === plane)
        .flatMap((one) => channelsOf(one, (chip, channel) => stripOf(one, chip, channel)))
    )
  return pairWriter(Array.from({ length: NumPanels }, (_, panel) => [strips(panel, 0), strips(panel, 1)] as const))
}

export function trexWriter(config: TrexConfig): ReadoutWriter {
  const vessels = vesselsOf(config)
  const fens = new Map<string, { readonly wires: PlacedChannel[]; readonly grids: PlacedChannel[] }>()
  for (const one of config.Config) {
    const vessel = vessels.get(one.VesselId)!
    const key = `${one.Ring}/${one.FEN}`
    const fen = fens.get(key) ?? { wires: [], grids: [] }
    fens.set(key, fen)
    if (one.Hybrid === 0)
      fen.wires.push(...channelsOf(one, (chip, channel) => wireOf(vessel, one.FEN % 2 === 1, chip, channel)))
    else
      fen.grids.push(...channelsOf(one, (chip, channel) => gridOf(vessel, one.Hybrid, chip, channel)).filter(({ place }) => place < config.SizeY)) // prettier-ignore
  }
  const first = (channels: readonly PlacedChannel[]): number => channels[0]?.place ?? 0
  const pictures = [...fens.values()].map(({ wires, grids }) => [byPlace(wires), byPlace(grids)] as const)
  return pairWriter(pictures.toSorted(([a], [b]) => first(a) - first(b)))
}
