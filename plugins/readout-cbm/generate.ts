// Readouts of beam monitors, made up: each of a monitor by chance.
import { type ReadoutWriter } from '../service-event-formation/readout-kit.js'
import { type CbmConfig } from './config.js'
import { SIZE, types } from './readout.js'

export function cbmWriter({ Topology: monitors, MonitorRing: ring }: CbmConfig): ReadoutWriter {
  return {
    size: SIZE,
    write(view, at, { u, v, seconds, ticks }, random) {
      const { FEN, Channel, Type, Width = 1, Height = 1 } = monitors[Math.floor(random() * monitors.length)]!
      view.setUint8(at, 2 * ring)
      view.setUint8(at + 1, FEN)
      view.setUint16(at + 2, SIZE, true)
      view.setUint32(at + 4, seconds, true)
      view.setUint32(at + 8, ticks, true)
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
