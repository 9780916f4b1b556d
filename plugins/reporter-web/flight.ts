// Times of flight as wavelengths and energies of neutrons, by the length of their way. For the page and its tests.

export type FlightScale = 'time' | 'wavelength' | 'energy'
export interface Flight {
  readonly scale: FlightScale
  /** From the source to the detector, m. */
  readonly metres: number
  /** Time on the axis at which they started, ms. */
  readonly offsetMs: number
}

export const flightUnits = { time: 'ms', wavelength: 'Å', energy: 'meV' } as const

/** Planck's constant over the mass of the neutron, Å m/ms. */
const ANGSTROM = 3.956_034
/** Energy of 1 Å, meV. */
const MEV = 81.804_21

/** Of a time in ms; NaN for what never flew. */
export function fromTime(ms: number, { scale, metres, offsetMs }: Flight): number {
  if (scale === 'time') return ms
  const wavelength = (ANGSTROM * (ms - offsetMs)) / metres
  if (!(wavelength > 0)) return NaN
  return scale === 'wavelength' ? wavelength : MEV / wavelength ** 2
}

/** The time in ms. */
export function toTime(value: number, { scale, metres, offsetMs }: Flight): number {
  if (scale === 'time') return value
  const wavelength = scale === 'wavelength' ? value : Math.sqrt(MEV / value)
  return (wavelength * metres) / ANGSTROM + offsetMs
}
