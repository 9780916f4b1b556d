// Readouts of DREAM, MAGIC and HEIMDAL, made up: the picture is that of the first part of the file.
import { CodedError } from '../../core/api/plugin.js'
import { putReadoutHead, type ReadoutWriter } from '../service-event-formation/readout-kit.js'
import { type CdtConfig, type CdtType } from './config.js'
import { type CdtPart } from './parts.js'
import { SIZE } from './readout.js'

const UNITS = 7

export function cdtWriter(
  { Config: all }: CdtConfig,
  parts: Readonly<Partial<Record<CdtType, CdtPart>>>
): ReadoutWriter {
  const type = all.find((entry) => parts[entry.Type] !== undefined)?.Type
  const part = type && parts[type]
  const entries = all.filter((entry) => entry.Type === type)
  if (part === undefined) throw new CodedError('DETECTOR_INVALID', 'no part is of this detector', { path: '/config/Config' }) // prettier-ignore
  const pixelOf = part.open(() => ({ value: 0 }))
  /** By pixel: entry, unit, cathode, anode; -1 where there is none. */
  const hits = new Int32Array(part.nx * part.ny + 1).fill(-1)
  for (const [i, entry] of entries.entries())
    for (let unit = 0; unit < UNITS; unit++)
      for (let cathode = 0; cathode < 256; cathode++)
        for (let anode = 0; anode < 256; anode++) {
          const pixel = pixelOf(entry, unit, cathode, anode)
          if (pixel > 0) hits[pixel] = (i << 20) | (unit << 16) | (cathode << 8) | anode
        }
  const pixels = hits.reduce<number[]>((found, hit, pixel) => (hit < 0 ? found : (found.push(pixel), found)), [])
  return {
    size: SIZE,
    write(view, at, generated, random) {
      const { u, v } = generated
      const wanted = Math.floor(v * part.ny) * part.nx + Math.floor(u * part.nx) + 1
      // A file may have a few nodes only
      const pixel = hits[wanted]! < 0 ? pixels[Math.floor(random() * pixels.length)]! : wanted
      const hit = hits[pixel]!
      const entry = entries[hit >> 20]!
      putReadoutHead(view, at, { ring: entry.Ring, fen: entry.FEN, size: SIZE }, generated)
      view.setUint8(at + 13, (hit >> 16) & 15)
      view.setUint8(at + 14, (hit >> 8) & 255)
      view.setUint8(at + 15, hit & 255)
    }
  }
}
