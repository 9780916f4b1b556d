// The parts of DREAM, MAGIC and HEIMDAL: from the place in the part, unit, cathode and anode to a pixel.
import { type Counter, no } from '../service-event-formation/readout-kit.js'
import { type CdtEntry, type CdtType } from './config.js'

/** Pixel from 1 on, without offset; 0, with the reason counted, when there is none. */
export type PixelOf = (entry: CdtEntry, unit: number, cathode: number, anode: number) => number

export interface CdtPart {
  readonly nx: number
  readonly ny: number
  readonly offset: number
  /** What its counters are called by; '' for a part that has none. */
  readonly prefix: string
  readonly open: (counter: (name: string) => Counter) => PixelOf
}

/** Of bytes: V8 makes shifts of it, and no divisions. */
const div = (a: number, b: number): number => (a / b) | 0

const pixelIn = (x: number, y: number, nx: number, ny: number): number => (x < nx && y < ny ? y * nx + x + 1 : 0)

/** By SUMO, 3 to 6: cassettes, and the column that they begin at. */
const CASSETTES = [4, 6, 8, 10] as const
const SUMO_COLUMN = [48, 36, 20, 0] as const
const SECTORS = 23
const SECTOR_WIDTH = 56

function cassetteOf(sumo: number, cathode: number, anode: number): number {
  const first = div(anode, 32)
  if (sumo === 3) return (first + 2 * div(cathode, 32)) & 0xff
  const second = 2 * div(cathode, 16)
  return (sumo === 6 ? second - first : sumo === 5 ? second + first : second + first - 1) & 0xff
}

const endCap = (prefix: string, nx: number, offset: number): CdtPart => ({
  nx,
  ny: 256,
  offset,
  prefix,
  open(counter) {
    const [noSector, noSumo, noCassette] = ['sector_errors', 'sumo_id_errors', 'cassette_id_errors'].map(counter) as [Counter, Counter, Counter] // prettier-ignore
    return ({ Index: sector }, sumo, cathode, anode) => {
      if (sector >= SECTORS) return +no(noSector)
      if (sumo < 3 || sumo > 6) return +no(noSumo)
      const cassette = cassetteOf(sumo, cathode, anode)
      if (cassette >= CASSETTES[sumo - 3]!) return +no(noCassette)
      const x = SECTOR_WIDTH * sector + SUMO_COLUMN[sumo - 3]! + 2 * cassette + (div(anode, 16) % 2)
      return pixelIn(x, 16 * (cathode % 16) + (anode % 16), nx, 256)
    }
  }
})

const mantle = (nx: number, offset: number): CdtPart => ({
  nx,
  ny: 1920,
  offset,
  prefix: '',
  open:
    () =>
    ({ Index, Index2 }, _unit, cathode, anode) =>
      pixelIn(cathode % nx, 60 * (anode % 32) + 12 * Index + 2 * Index2 + (div(anode, 32) % 2), nx, 1920)
})

/** A square of 16 × 16 in a cuboid: its corner, and its quarter turns. */
type Square = readonly [x: number, y: number, turns: number]

/** Row by row: columns that have a square, and the turns of each. */
const squaresOf = (rows: readonly (readonly [columns: string, turns: string])[]): readonly Square[] =>
  rows.flatMap(([columns, turns], row) =>
    [...columns].map((column, i): Square => [16 * Number(column), 16 * row, Number(turns[i])])
  )

const SANS = squaresOf([
  ['234', '011'],
  ['12345', '00111'],
  ['0123456', '0001111'],
  ['012456', '000222'],
  ['0123456', '3333222'],
  ['12345', '33322'],
  ['234', '332']
])
const HR = squaresOf([
  ['234', '011'],
  ['12345', '00111'],
  ['0123456', '0001111'],
  ['012456', '000222'],
  ['012456', '333222'],
  ['1245', '3322'],
  ['24', '32']
])

const turned = (x: number, y: number, turns: number): [number, number] =>
  turns === 1 ? [15 - y, x] : turns === 2 ? [15 - x, 15 - y] : turns === 3 ? [y, 15 - x] : [x, y]

const cuboid = (prefix: string, squares: readonly Square[], offset: number): CdtPart => ({
  nx: 112,
  ny: 3584,
  offset,
  prefix,
  open(counter) {
    const noIndex = counter('index_errors')
    return ({ Index, Index2 }, unit, cathode, anode) => {
      const square = unit === 0 ? squares[Index] : unit === 1 ? squares[Index2] : undefined
      if (square === undefined) return +no(noIndex)
      const cassette = div(anode, 32) + 2 * div(cathode, 32)
      const [x, y] = turned(2 * cassette + (div(anode, 16) % 2), 15 - (anode % 16), square[2])
      const [X, Y] = [square[0] + x, 112 * (cathode % 32) + square[1] + y]
      return X < 0 || Y < 0 ? 0 : pixelIn(X, Y, 112, 3584)
    }
  }
})

const paDetector: CdtPart = {
  nx: 256,
  ny: 512,
  offset: 245_760,
  prefix: 'padetector',
  open(counter) {
    const [noSector, noCassette] = [counter('max_sector_errors'), counter('cassette_id_errors')]
    return ({ Index }, _unit, cathode, anode) => {
      if (Index > 7) return +no(noSector)
      const cassette = div(anode, 32) + 4 * div(cathode, 64)
      if (cassette >= 16) return +no(noCassette)
      const x = 32 * Index + 2 * cassette + (div(anode, 16) % 2)
      return pixelIn(x, 16 * (cathode % 32) + (anode % 16), 256, 512)
    }
  }
}

const heimdalMantle: CdtPart = {
  nx: 144,
  ny: 2048,
  offset: 0,
  prefix: '',
  open:
    () =>
    ({ Index, Index2 }, _unit, cathode, anode) =>
      pixelIn(12 * Index + 2 * Index2 + (div(anode, 32) % 2), (cathode % 64) + 64 * (anode % 32), 144, 2048)
}

type CdtParts = Readonly<Partial<Record<CdtType, CdtPart>>>

export const dreamParts: CdtParts = {
  FwEndCap: endCap('fwec', 280, 0),
  BwEndCap: endCap('bwec', 616, 71_680),
  DreamMantle: mantle(256, 229_376),
  SANS: cuboid('sans', SANS, 720_896),
  HR: cuboid('hr', HR, 1_122_304)
}
export const magicParts: CdtParts = { FRDetector: mantle(128, 0), PADetector: paDetector }
export const heimdalParts: CdtParts = { HeimdalMantle: heimdalMantle }
