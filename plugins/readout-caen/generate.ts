// Readouts of tubes, made up: amplitudes that the geometry of each detector takes for the wanted place.
import { CodedError } from '../../core/api/plugin.js'
import {
  type GeneratedHit,
  indexAt,
  putReadoutHead,
  type ReadoutWriter
} from '../service-event-formation/readout-kit.js'
import { Calibration, type Instrument } from './calibration.js'
import {
  type BifrostConfig,
  type CspecConfig,
  type LokiConfig,
  type MiraclesConfig,
  type Tbl3heConfig
} from './config.js'
import { SIZE } from './readout.js'

/** Sum of the amplitudes. */
const SUM = 10_000

/** One readout; amplitudes C and D are of LOKI only. */
interface TubeHit {
  readonly ring: number
  readonly fen: number
  readonly group: number
  readonly amplitudes: readonly number[]
}

const writerOf = (hitOf: (hit: GeneratedHit) => TubeHit): ReadoutWriter => ({
  size: SIZE,
  write(view, at, hit) {
    const { ring, fen, group, amplitudes } = hitOf(hit)
    putReadoutHead(view, at, { ring, fen, size: SIZE }, hit)
    view.setUint8(at + 13, group)
    for (const [i, amplitude] of amplitudes.entries()) view.setInt16(at + 16 + 2 * i, amplitude, true)
  }
})

const calibrationOf = (calibration: unknown, instrument: Instrument): Calibration =>
  new Calibration({ calibration, counter: () => ({ value: 0 }) }, instrument)

/** Both ends of a tube for a place on it, 0 to 1. */
function ends(place: number, sum = SUM): [number, number] {
  const a = Math.round(place * sum)
  return [a, sum - a]
}

/** Rows of the picture are the straws that are read out. */
export function lokiWriter(config: LokiConfig, calibrationFile: unknown): ReadoutWriter {
  const calibration = calibrationOf(calibrationFile, 'loki')
  const straws = config.Config.flatMap(({ Ring: ring, Bank, FENs, FENOffset }) => {
    const bank = config.Banks.find((one) => one.Bank === Bank)
    if (bank === undefined) return []
    const { GroupsN: groupsN, YOffset: yOffset } = bank
    return Array.from({ length: FENs * config.GroupsZ * 2 * 7 }, (_, i) => {
      const [straw, tube] = [i % 7, Math.trunc(i / 7) % 2]
      const z = Math.trunc(i / 14) % config.GroupsZ
      const fen = Math.trunc(i / 14 / config.GroupsZ)
      const group = Math.trunc(yOffset / 7) + z * groupsN + 2 * (FENOffset + fen) + tube
      const y = yOffset + z * 7 * groupsN + 14 * (FENOffset + fen) + 7 * tube + straw
      return { ring, fen, local: z + config.GroupsZ * tube, unit: calibration.unitOf(group, straw), y }
    })
  }).toSorted((a, b) => a.y - b.y)
  if (straws.length === 0) throw new CodedError('DETECTOR_INVALID', 'no straw is read out', { path: '/config/Config' })
  return writerOf(({ u, v }) => {
    const { ring, fen, local, unit } = straws[indexAt(v, straws.length)]!
    const [along, across] = [u * SUM, calibration.at(unit, 0.5) * SUM]
    const b = Math.round((along * across) / SUM)
    const [a, d] = [Math.round(along) - b, Math.round(across) - b]
    return { ring, fen, group: local, amplitudes: [a, b, SUM - a - b - d, d] }
  })
}

export function bifrostWriter({ MaxAmpl, MaxGroup }: BifrostConfig, calibrationFile: unknown): ReadoutWriter {
  const calibration = calibrationOf(calibrationFile, 'bifrost')
  return writerOf(({ u, v }) => {
    const [x, y] = [indexAt(u, 900), indexAt(v, 15)]
    const ring = Math.trunc(x / 300)
    const group = Math.min(MaxGroup, 3 * Math.trunc(y / 3) + (Math.trunc(x / 100) % 3))
    const place = calibration.at(calibration.unitOf(15 * ring + group, y % 3), ((x % 100) + 0.5) / 100)
    return { ring, fen: 0, group, amplitudes: ends(place, Math.min(MaxAmpl, SUM)) }
  })
}

export function tbl3heWriter({ Topology: topology }: Tbl3heConfig, calibrationFile: unknown): ReadoutWriter {
  const calibration = calibrationOf(calibrationFile, 'tbl3he')
  return writerOf(({ u, v }) => {
    const tube = indexAt(v, 8)
    const { Ring: ring, FEN: fen, Bank: bank } = topology.find((one) => one.Bank === tube >> 2) ?? topology[0]!
    const place = calibration.at(calibration.unitOf(4 * bank + (tube & 3), 0), u)
    return { ring, fen, group: tube & 3, amplitudes: ends(place) }
  })
}

export function miraclesWriter({ Resolution: resolution }: MiraclesConfig): ReadoutWriter {
  const half = Math.trunc(resolution / 2)
  return writerOf(({ u, v }) => {
    const [x, y] = [indexAt(u, 48), indexAt(v, 2 * half)]
    const along = (y % half) / (2 * (half - 1))
    const [a] = ends(x % 2 === 0 ? 1 - along : along + 0.25 / half)
    // The second tube of a pair is told by less on the first end
    const first = x % 2 === 0 ? a : Math.min(a, SUM / 2 - 1)
    const ring = (x >= 24 ? 1 : 0) + (y >= half ? 2 : 0)
    return { ring, fen: 0, group: Math.trunc((x % 24) / 2), amplitudes: [first, SUM - first] }
  })
}

export function cspecWriter({ Resolution: resolution, MaxGroup }: CspecConfig): ReadoutWriter {
  return writerOf(({ u, v }) => {
    const column = indexAt(u, 72)
    const group = Math.min(MaxGroup, column % 24)
    return {
      ring: Math.trunc(column / 24),
      fen: 0,
      group,
      amplitudes: ends((indexAt(v, 180) + 0.5) / (resolution - 1))
    }
  })
}
