// The UDP socket of one detector where the system gives many packets by one call: straight into the ring, by a thread that does nothing else.
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { headerShift } from '../form/packet-memory.js'
import { kernelState } from './kernel.js'
import { DRAIN_MS, isMulticast, opening, type PortAddress, prepare, roomOf } from './receiver.js'
import { type RingMemory, RingWriter } from './ring.js'
import { type PacketPlaces, type SystemCalls } from './system-calls.js'

/** Packets of one call. */
const MOST = 64
/** Packets are waited for so long together: each call, and each waking, costs as much as a packet. */
const GATHER_MS = 1
/** Where none come, it is looked so often whether there is anything else to do. */
const IDLE_MS = 100
const KERNEL_MS = 500

export class BatchReceiver {
  readonly #writer: RingWriter
  readonly #bytes: Uint8Array
  readonly #slots: number
  /** By the half of how far packets are behind the begin of their slots. */
  readonly #places: readonly PacketPlaces[]
  /** That of the last packet: the next one has mostly the same. */
  #shift = 0
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4))

  private constructor(
    readonly calls: SystemCalls,
    readonly fd: number,
    readonly socket: Socket,
    readonly ring: RingMemory
  ) {
    const { packets, slotBytes } = ring
    this.#writer = new RingWriter(ring)
    this.#bytes = new Uint8Array(packets)
    this.#slots = packets.byteLength / slotBytes
    const largest = headerShift(0)
    const offsets = (shift: number): number[] => Array.from({ length: this.#slots }, (_, n) => n * slotBytes + shift)
    this.#places = [0, largest].map((shift) => calls.places(this.#bytes, offsets(shift), slotBytes - largest))
  }

  /** Its socket is never read by the loop of this thread, which must not turn until it is closed. Throws PORT_FAILED. */
  static async open(calls: SystemCalls, address: PortAddress, ring: RingMemory): Promise<BatchReceiver> {
    const { host, port } = address
    return opening(address, async () => {
      const fd = await calls.bind(host, port, isMulticast(host))
      const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
      try {
        socket.bind({ fd, exclusive: true })
        prepare(socket, address)
        return new BatchReceiver(calls, fd, socket, ring)
      } catch (error) {
        socket.close()
        throw error
      }
    })
  }

  get bufferBytes(): number {
    return roomOf(this.socket)
  }

  /** Returns when it is told to close and all that came is in the ring. While the ring is full packets wait in the kernel. */
  run(isToldToClose: () => boolean): void {
    let [lookedMs, until] = [-Infinity, Infinity]
    for (;;) {
      const now = performance.now()
      if (now - lookedMs >= KERNEL_MS) {
        this.#countDrops()
        lookedMs = now
      }
      if (until === Infinity && isToldToClose()) until = now + DRAIN_MS
      const { free, next } = this.#writer
      const most = Math.min(MOST, free, this.#slots - next)
      const count = most === 0 ? 0 : this.#receive(next, most)
      const isEmpty = most > 0 && count === 0
      if (until < Infinity && (isEmpty || now > until)) return this.#countDrops()
      if (isEmpty) this.calls.wait(this.fd, IDLE_MS)
      else if (count < most || most === 0) Atomics.wait(this.#sleeper, 0, 0, GATHER_MS)
    }
  }

  close(): void {
    this.socket.close()
  }

  #receive(first: number, most: number): number {
    const { slotBytes, hasHeader } = this.ring
    const bytes = this.#bytes
    const guess = this.#shift
    const places = this.#places[guess >> 1]!
    const count = this.calls.receive(this.fd, places, first, most)
    for (let slot = first; slot < first + count; slot++) {
      const length = places.length(slot)
      const at = slot * slotBytes
      const shift = hasHeader && length > 1 ? headerShift(bytes[at + guess + 1]) : 0
      if (shift !== guess) bytes.copyWithin(at + shift, at + guess, at + guess + Math.min(length, slotBytes - 2))
      this.#writer.filled(length, shift, places.sender(slot))
      this.#shift = shift
    }
    if (count > 0) this.#writer.show()
    return count
  }

  #countDrops(): void {
    const { address, port } = this.socket.address()
    const drops = kernelState(address, port)?.drops
    if (drops !== undefined) this.#writer.kernelDrops(drops)
  }
}
