// The virtual reflectometer: spectrum, reflectivity and detector geometry as look-up tables, and the events of one pulse from them.
import { next, seedState } from './random.js'

/** Detector pixels, numbered from 1 row by row. */
export const columns = 256
export const rows = 256
/** Pixel id in monitor events. */
export const monitorPixel = columns * rows + 1

/** Flight path from chopper to detector and from chopper to monitor, m. */
const detectorPath = 10
const monitorPath = 7
/** ns of flight per metre and ångström (neutron mass / Planck constant). */
const nsPerMetreAngstrom = 252_778
const wavelengths = { from: 2, to: 16 }
/** Incident angle, rad, and the critical momentum transfer of the sample, 1/Å. */
const theta = (0.6 * Math.PI) / 180
const criticalQ = 0.0217
const filmThickness = 350

/** Where the specular line meets the detector, and its width, in pixels. */
const lineRow = 150
const lineSigma = 2.2
const beamColumn = 127.5
const beamSigma = 34
/** Share of events, in 1/256, that are background: flat in time and place. */
const background = 13

/** Flux of a cold source: a Maxwellian that peaks at 4 Å. */
function flux(wavelength: number): number {
  const x = (4 * Math.sqrt(2.5)) / wavelength
  return x ** 5 * Math.exp(-x * x)
}

/** Reflectivity of a thin film: total reflection, then Fresnel decay with Kiessig fringes. */
function reflectivity(wavelength: number): number {
  const q = (4 * Math.PI * Math.sin(theta)) / wavelength
  if (q <= criticalQ) return 1
  const root = Math.sqrt(q * q - criticalQ * criticalQ)
  const fresnel = ((q - root) / (q + root)) ** 2
  return fresnel * (1 + 0.6 * Math.cos(root * filmThickness))
}

const tableBits = 16
const tableSize = 1 << tableBits

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
    table[i] = Math.round((wavelengths.from + (step + inside) * width) * nsPerMetreAngstrom * path)
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

const reflectedTimes = timeTable((wavelength) => flux(wavelength) * reflectivity(wavelength), detectorPath)
const beamTimes = timeTable(flux, monitorPath)
const rowTable = placeTable(lineRow, lineSigma, rows)
const columnTable = placeTable(beamColumn, beamSigma, columns)

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
    if ((where & 0xff) < background) {
      times[i] = ((when >>> 0) / 0x1_0000_0000) * longestTime
      pixels[i] = 1 + (next(state) >>> 16)
    } else {
      const low = reflectedTimes[when >>> tableBits]!
      times[i] = low + ((reflectedTimes[(when >>> tableBits) + 1]! - low) * (when & 0xffff)) / tableSize
      pixels[i] = 1 + rowTable[where >>> 20]! * columns + columnTable[(where >>> 8) & 0xfff]!
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
    const low = beamTimes[when >>> tableBits]!
    times[i] = low + ((beamTimes[(when >>> tableBits) + 1]! - low) * (when & 0xffff)) / tableSize
  }
  return { timeOfFlight: bytes(times), pixelId: bytes(empty(events).fill(monitorPixel)) }
}
