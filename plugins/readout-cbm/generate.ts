// Readouts of beam monitors, made up: each of a monitor by chance.
import { putReadoutHead, type ReadoutWriter } from '../service-event-formation/readout-kit.js'
import { type CbmConfig } from './config.js'
import { SIZE, types } from './readout.js'

export function cbmWriter({ Topology: monitors, MonitorRing: ring }: CbmConfig): ReadoutWriter {
  return {
    size: SIZE,
    write(view, at, hit, random) {
      const { u, v } = hit
      const { FEN, Channel, Type, Width = 1, Height = 1 } = monitors[Math.floor(random() * monitors.length)]!
      putReadoutHead(view, at, { ring, fen: FEN, size: SIZE }, hit)
      view.setUint8(at + 12, types[Type])
      view.setUint8(at + 13, Channel)
      if (Type === 'EVENT_2D') {
        view.setUint16(at + 16, Math.floor(u * Width), true)
        view.setUint16(at + 18, Math.floor(v * Height), true)
      } else if (Type === 'IBM') {
        view.setUint32(at + 16, 1 + Math.floor(random() * 0xffff), true)
        view.setUint8(at + 19, 1)
      }
    }
  }
}
