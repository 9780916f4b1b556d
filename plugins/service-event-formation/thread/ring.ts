// Packets from the thread that receives them to the one that reads them, through shared memory: slots that are filled in turn.
import { headerShift } from '../form/packet-memory.js'

/** Of all slots together. */
const MOST_BYTES = 20 << 20
const MOST_SLOTS = 2048

/** What a packet lies behind the begin of its slot is beside its length. */
const SHIFT_BITS = 2

/** Words of `control`. */
const HEAD = 0
const TAIL = 1
const DROPS = 2
const SLEEPS = 3
const KERNEL_DROPS = 4
const WORDS = 8

/** Survives structuredClone, which shares it. */
export interface RingMemory {
  readonly control: SharedArrayBuffer
  readonly lengths: SharedArrayBuffer
  /** IPv4 addresses that packets came from; 0 for others. */
  readonly senders: SharedArrayBuffer
  readonly packets: SharedArrayBuffer
  readonly slotBytes: number
  /** Packets have the common header, which is put where readouts are aligned. */
  readonly hasHeader: boolean
}

/** @param slotBytes - a multiple of 8 */
export function ringMemory(slotBytes: number, hasHeader: boolean): RingMemory {
  // A power of two, so that counting can go round
  const slots = Math.min(MOST_SLOTS, 2 ** Math.floor(Math.log2(MOST_BYTES / slotBytes)))
  return {
    control: new SharedArrayBuffer(WORDS * 4),
    lengths: new SharedArrayBuffer(slots * 4),
    senders: new SharedArrayBuffer(slots * 4),
    packets: new SharedArrayBuffer(slots * slotBytes),
    slotBytes,
    hasHeader
  }
}

/** Of the thread that receives. */
export class RingWriter {
  readonly #control: Int32Array
  readonly #lengths: Int32Array
  readonly #senders: Uint32Array
  readonly #bytes: Uint8Array
  #head = 0

  constructor(readonly memory: RingMemory) {
    this.#control = new Int32Array(memory.control)
    this.#lengths = new Int32Array(memory.lengths)
    this.#senders = new Uint32Array(memory.senders)
    this.#bytes = new Uint8Array(memory.packets)
  }

  /** Counts the packet when there is no room. Of one that is larger than a slot only the length goes on. */
  put(packet: Uint8Array, sender = 0): void {
    if (this.free === 0) {
      Atomics.add(this.#control, DROPS, 1)
      return
    }
    const { slotBytes, hasHeader } = this.memory
    const shift = hasHeader ? headerShift(packet[1]) : 0
    if (packet.length + shift <= slotBytes) this.#bytes.set(packet, this.next * slotBytes + shift)
    this.filled(packet.length, shift, sender)
    this.show()
  }

  /** Slots in which no packet waits. */
  get free(): number {
    return this.#lengths.length - ((this.#head - Atomics.load(this.#control, TAIL)) | 0)
  }

  /** The slot of the next packet. */
  get next(): number {
    return this.#head & (this.#lengths.length - 1)
  }

  /** For packets that were written to where they belong: what `put` does behind that. */
  filled(length: number, shift: number, sender: number): void {
    this.#senders[this.next] = sender
    this.#lengths[this.next] = (length << SHIFT_BITS) | shift
    this.#head = (this.#head + 1) | 0
  }

  /** Shows what was filled to the other thread. */
  show(): void {
    const control = this.#control
    Atomics.store(control, HEAD, this.#head)
    if (Atomics.load(control, SLEEPS) === 1) Atomics.notify(control, HEAD, 1)
  }

  kernelDrops(count: number): void {
    Atomics.store(this.#control, KERNEL_DROPS, count)
  }
}

/** What the library of ES2024 says. */
interface WaitAsync {
  waitAsync(
    words: Int32Array,
    index: number,
    value: number,
    timeoutMs?: number
  ): { readonly async: false; readonly value: string } | { readonly async: true; readonly value: Promise<string> }
}
const atomics = Atomics as unknown as WaitAsync

/** Must not throw. @param place - where in the memory the slot begins @param at - where the packet does */
export type TakeFromRing = (place: number, at: number, length: number, sender: number) => void

/** Of the thread that reads. */
export class RingReader {
  readonly #control: Int32Array
  readonly #lengths: Int32Array
  readonly #senders: Uint32Array
  #tail = 0

  constructor(readonly memory: RingMemory) {
    this.#control = new Int32Array(memory.control)
    this.#lengths = new Int32Array(memory.lengths)
    this.#senders = new Uint32Array(memory.senders)
  }

  /** Packets that had no room in the ring. */
  get drops(): number {
    return Atomics.load(this.#control, DROPS)
  }

  /** Packets that the kernel had no room for. */
  get kernelDrops(): number {
    return Atomics.load(this.#control, KERNEL_DROPS)
  }

  /** Gives up to `most` packets; how many they were. */
  read(most: number, take: TakeFromRing): number {
    const [control, lengths] = [this.#control, this.#lengths]
    const { slotBytes } = this.memory
    const waiting = (Atomics.load(control, HEAD) - this.#tail) | 0
    const count = Math.min(most, waiting)
    for (let i = 0; i < count; i++) {
      const slot = this.#tail & (lengths.length - 1)
      const word = lengths[slot]!
      const place = slot * slotBytes
      take(place, place + (word & 3), word >> SHIFT_BITS, this.#senders[slot]!)
      this.#tail = (this.#tail + 1) | 0
      // Each slot is free at once: the other thread may be waiting for it
      Atomics.store(control, TAIL, this.#tail)
    }
    return count
  }

  /** Ends `wait`. */
  wake(): void {
    Atomics.notify(this.#control, HEAD)
  }

  /** Resolves when there is a packet, or after that time. */
  async wait(timeoutMs: number): Promise<void> {
    const control = this.#control
    Atomics.store(control, SLEEPS, 1)
    const waited = atomics.waitAsync(control, HEAD, this.#tail, timeoutMs)
    if (waited.async) await waited.value
    Atomics.store(control, SLEEPS, 0)
  }
}
