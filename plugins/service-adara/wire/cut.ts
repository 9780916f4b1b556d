// A stream of ADARA cut into packets.
import { EPOCH_S, HEADER_BYTES } from './packets.js'

export interface AdaraPacket {
  /** The type << 8 | version. */
  readonly format: number
  /** ns since 1970. */
  readonly timeNs: bigint
  /** Valid until the next bytes come. */
  readonly payload: Buffer
}

/** A length that no packet has: nothing behind it can be understood. */
export class NoPacket extends Error {}

export class PacketCutter {
  /** What has come of a packet that is not whole. */
  #held: Buffer[] = []
  #heldBytes = 0
  /** Bytes that must be there before it is worth to look again: a large packet comes in many pieces, which are joined once. */
  #wanted = HEADER_BYTES

  readonly #mostBytes: number

  /** @param mostBytes - of one payload */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Calls for each packet that is whole. Throws NoPacket. */
  push(bytes: Buffer, take: (packet: AdaraPacket) => void): void {
    if (this.#heldBytes + bytes.length < this.#wanted) return this.#hold(bytes)
    const all = this.#held.length === 0 ? bytes : Buffer.concat([...this.#held, bytes])
    this.#held = []
    this.#heldBytes = 0
    this.#wanted = HEADER_BYTES
    let at = 0
    while (all.length - at >= HEADER_BYTES) {
      const length = all.readUInt32LE(at)
      if (length % 4 !== 0 || length > this.#mostBytes) throw new NoPacket(`a packet of ${length} bytes`)
      const end = at + HEADER_BYTES + length
      if (end > all.length) {
        this.#wanted = end - at
        break
      }
      const seconds = BigInt(all.readUInt32LE(at + 8)) + EPOCH_S
      take({
        format: all.readUInt32LE(at + 4),
        timeNs: seconds * 1_000_000_000n + BigInt(all.readUInt32LE(at + 12)),
        payload: all.subarray(at + HEADER_BYTES, end)
      })
      at = end
    }
    if (at < all.length) this.#hold(all.subarray(at))
  }

  /** A copy: of a small piece the memory around it must not stay. */
  #hold(bytes: Buffer): void {
    this.#held.push(Buffer.from(bytes))
    this.#heldBytes += bytes.length
  }
}
