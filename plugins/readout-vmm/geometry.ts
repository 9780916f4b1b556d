// Multi-blade detectors: which chip of a hybrid is which plane, and what its channels are.
export interface BladeGeometry {
  readonly nx: number
  readonly ny: number
  /** The chip of plane A, that of x. */
  readonly chipOfX: 0 | 1
  /** Whether plane A has the wires. */
  readonly isXWires: boolean
  readonly x: (cassette: number, channel: number) => number
  readonly y: (cassette: number, channel: number) => number
}

const strips = (_cassette: number, channel: number): number => 63 - channel
const wires = (cassette: number, channel: number): number => 32 * cassette + 47 - channel

export const geometries: Readonly<Record<'Freia' | 'AMOR' | 'Estia', BladeGeometry>> = {
  Freia: { nx: 64, ny: 1024, chipOfX: 1, isXWires: false, x: strips, y: wires },
  AMOR: { nx: 64, ny: 448, chipOfX: 0, isXWires: false, x: strips, y: wires },
  Estia: {
    nx: 1536,
    ny: 128,
    chipOfX: 1,
    isXWires: true,
    x: (cassette, channel) => 32 * (cassette % 48) + channel - 16,
    y: (cassette, channel) => 64 * Math.trunc(cassette / 48) + 63 - channel
  }
}
