// Runs of samples, made up: a peak over noise, the higher the further up in the picture; what is across are the channels.
import { indexAt, type ReadoutWriter } from '../service-event-formation/readout-kit.js'

const HEADER = 16
const SAMPLES = 32
const SIZE = 20 + 2 * SAMPLES
const CHANNELS = 4
const BACKGROUND = 500
const HIGHEST = 9000
/** Of the peak, in samples. */
const MIDDLE = 12
const WIDTH = 3

export const adcWriter: ReadoutWriter = {
  size: SIZE,
  head(view, { seconds, nanoseconds, packet }) {
    view.setUint8(0, 1)
    view.setUint8(1, 0x11)
    view.setUint16(4, packet & 0xffff)
    view.setUint8(6, 1)
    view.setUint8(7, 1)
    view.setUint32(8, seconds)
    view.setUint32(12, Math.floor(nanoseconds * 0.044_026_25))
    return HEADER
  },
  write(view, at, { u, v, seconds, ticks }, random) {
    view.setUint16(at, 0xabcd)
    view.setUint16(at + 2, SIZE)
    view.setUint16(at + 4, indexAt(u, CHANNELS))
    view.setUint16(at + 6, 1)
    view.setUint32(at + 8, seconds)
    view.setUint32(at + 12, ticks >>> 1)
    for (let i = 0; i < SAMPLES; i++) {
      const peak = (0.1 + 0.9 * v) * HIGHEST * Math.exp(-(((i - MIDDLE) / WIDTH) ** 2))
      view.setUint16(at + 16 + 2 * i, Math.floor(BACKGROUND + peak + 5 * random()))
    }
    view.setUint32(at + SIZE - 4, 0xbeefcafe)
  },
  finish(view, length) {
    view.setUint32(length, 0xfeedf00d)
    view.setUint16(2, length + 4 - 8)
    return length + 4
  }
}
