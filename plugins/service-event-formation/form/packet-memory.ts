// Memory that packets come into, with the views that families read it by, made once.
import { type Packet } from '../readout-kit.js'

/** Where readouts begin behind the place of a packet: behind the longer header. */
export const READOUTS_AT = 32
/** Readouts behind the shorter header begin at the same place when the packet begins so much later. */
const SHORTER_BY = 2
/** Bytes of the longest packet with the common header. */
export const LARGEST_PACKET = 8972

/** Where in the memory of a packet with the common header its first byte lies, so that readouts are aligned. */
export const headerShift = (version: number | undefined): number => (version === 0 ? SHORTER_BY : 0)

export class PacketMemory implements Packet {
  readonly bytes: Uint8Array
  readonly i16: Int16Array
  readonly u16: Uint16Array
  readonly u32: Uint32Array
  readonly view: DataView
  from = 0
  to = 0
  sender = 0

  /** @param memory - of a length that is a multiple of 8 */
  constructor(memory: ArrayBuffer | SharedArrayBuffer) {
    this.bytes = new Uint8Array(memory)
    this.i16 = new Int16Array(memory)
    this.u16 = new Uint16Array(memory)
    this.u32 = new Uint32Array(memory)
    this.view = new DataView(memory)
  }
}

/** Bytes of memory for one packet of a family, a multiple of 8. */
export const packetBytes = (largest: number): number => (READOUTS_AT + largest + 7) & ~7
