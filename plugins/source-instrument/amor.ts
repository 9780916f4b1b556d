// The virtual reflectometer: spectrum, reflectivity and detector geometry as look-up tables, and the events of one pulse from them.
import { next, seedState } from './random.js'

/** Detector pixels, numbered from 1 row by row. */
export const COLUMNS = 256
export const ROWS = 256
/** Pixel id in monitor events. */
export const monitorPixel = COLUMNS * ROWS + 1

/** Flight path from chopper to detector and from chopper to monitor, m. */
const DETECTOR_PATH = 10
const MONITOR_PATH = 7
/** ns of flight per metre and ångström (neutron mass / Planck constant). */
const NS_PER_METRE_ANGSTROM = 252_778
const wavelengths = { from: 2, to: 16 }
/** Incident angle, rad, and the critical momentum transfer of the sample, 1/Å. */
const theta = (0.6 * Math.PI) / 180
const CRITICAL_Q = 0.0217
const FILM_THICKNESS = 350

/** Where the specular line meets the detector, and its width, in pixels. */
const LINE_ROW = 150
const LINE_SIGMA = 2.2
const BEAM_COLUMN = 127.5
const BEAM_SIGMA = 34
/** Share of events, in 1/256, that are background: flat in time and place. */
const BACKGROUND = 13

/** Flux of a cold source: a Maxwellian that peaks at 4 Å. */
function flux(wavelength: number): number {
  const x = (4 * Math.sqrt(2.5)) / wavelength
  return x ** 5 * Math.exp(-x * x)
}

/** Reflectivity of a thin film: total reflection, then Fresnel decay with Kiessig fringes. */
function reflectivity(wavelength: number): number {
  const q = (4 * Math.PI * Math.sin(theta)) / wavelength
  if (q <= CRITICAL_Q) return 1
  const root = Math.sqrt(q * q - CRITICAL_Q * CRITICAL_Q)
  const fresnel = ((q - root) / (q + root)) ** 2
  return fresnel * (1 + 0.6 * Math.cos(root * FILM_THICKNESS))
}

const TABLE_BITS = 16
const tableSize = 1 << TABLE_BITS

/** Inverse cumulative distribution of the time of flight: entry i is the time below which a share i/65536 of events lies. */
function timeTable(weight: (wavelength: number) => number, path: number): Int32Array {
  const steps = 8192
  const width = (wavelengths.to - wavelengths.from) / steps
  const cumulative = new Float64Array(steps + 1)
  for (let i = 0; i < steps; i++) {
    cumulative[i + 1] = cumulative[i]! + weight(wavelengths.from + (i + 0.5) * width)
  }
  const total = cumulative[steps]!
  const table = new Int32Array(tableSize + 1)
  let step = 0
  for (let i = 0; i <= tableSize; i++) {
    const wanted = (i / tableSize) * total
    while (step < steps - 1 && cumulative[step + 1]! < wanted) step++
    const inside = Math.min(1, (wanted - cumulative[step]!) / (cumulative[step + 1]! - cumulative[step]!))
    table[i] = Math.round((wavelengths.from + (step + inside) * width) * NS_PER_METRE_ANGSTROM * path)
  }
  return table
}

/** 4096 places whose distribution is a normal one, cut off inside the detector. */
function placeTable(centre: number, sigma: number, size: number): Int32Array {
  const weights = Float64Array.from({ length: size }, (_, i) => Math.exp(-0.5 * ((i - centre) / sigma) ** 2))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const table = new Int32Array(4096)
  let place = 0
  let below = weights[0]!
  for (let i = 0; i < table.length; i++) {
    while (place < size - 1 && below < ((i + 0.5) / table.length) * total) below += weights[++place]!
    table[i] = place
  }
  return table
}

const reflectedTimes = timeTable((wavelength) => flux(wavelength) * reflectivity(wavelength), DETECTOR_PATH)
const beamTimes = timeTable(flux, MONITOR_PATH)
const rowTable = placeTable(LINE_ROW, LINE_SIGMA, ROWS)
const columnTable = placeTable(BEAM_COLUMN, BEAM_SIGMA, COLUMNS)

/** Longest time of flight of an event, ns. */
export const longestTime = reflectedTimes[tableSize]!

/** The raw little-endian vectors of one pulse: ns after the pulse and pixel id, int32 each. */
export interface PulseEvents {
  readonly timeOfFlight: Uint8Array
  readonly pixelId: Uint8Array
}

const empty = (events: number): Int32Array => new Int32Array(Buffer.allocUnsafeSlow(events * 4).buffer)
const bytes = (values: Int32Array): Uint8Array => new Uint8Array(values.buffer)

/** The detector events of pulse number `pulse`. */
export function detectorPulse(seed: number, pulse: number, events: number): PulseEvents {
  const state = seedState(seed, 0, pulse)
  const times = empty(events)
  const pixels = empty(events)
  for (let i = 0; i < events; i++) {
    const when = next(state)
    const where = next(state)
    if ((where & 0xff) < BACKGROUND) {
      times[i] = ((when >>> 0) / 0x1_0000_0000) * longestTime
      pixels[i] = 1 + (next(state) >>> 16)
    } else {
      const low = reflectedTimes[when >>> TABLE_BITS]!
      times[i] = low + ((reflectedTimes[(when >>> TABLE_BITS) + 1]! - low) * (when & 0xffff)) / tableSize
      pixels[i] = 1 + rowTable[where >>> 20]! * COLUMNS + columnTable[(where >>> 8) & 0xfff]!
    }
  }
  return { timeOfFlight: bytes(times), pixelId: bytes(pixels) }
}

/** The monitor events of pulse number `pulse`: the direct beam. */
export function monitorPulse(seed: number, pulse: number, events: number): PulseEvents {
  const state = seedState(seed, 1, pulse)
  const times = empty(events)
  for (let i = 0; i < events; i++) {
    const when = next(state)
    const low = beamTimes[when >>> TABLE_BITS]!
    times[i] = low + ((beamTimes[(when >>> TABLE_BITS) + 1]! - low) * (when & 0xffff)) / tableSize
  }
  return { timeOfFlight: bytes(times), pixelId: bytes(empty(events).fill(monitorPixel)) }
}
