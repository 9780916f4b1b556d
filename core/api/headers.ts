// The headers of a record: they lie behind its value and are looked for only when somebody asks.
import { type Batch, type MessageHeaders } from './kafka.js'

const none: MessageHeaders = []

/** Of record i; the values are views, valid until the batch is released. Undefined where they are malformed. */
export function headersOf(
  batch: Pick<Batch, 'bytes' | 'valueStart' | 'valueEnd'>,
  i: number
): MessageHeaders | undefined {
  const { bytes } = batch
  // A value of null ends before it begins
  let at = Math.max(batch.valueStart(i), batch.valueEnd(i))
  const varint = (): number => {
    let value = 0
    for (let shift = 0, byte = 128; byte > 127; shift += 7) {
      byte = bytes.getUint8(at++)
      value |= (byte & 127) << shift
    }
    return (value >>> 1) ^ -(value & 1)
  }
  const field = (): Buffer | null => {
    const length = varint()
    if (length < 0) return null
    at += length
    return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset + at - length, length)
  }
  try {
    const count = varint()
    if (count === 0) return none
    const headers: [string, Buffer | null][] = []
    while (headers.length < count) headers.push([field()?.toString('utf8') ?? '', field()])
    return at > bytes.byteLength ? undefined : headers
  } catch {
    return undefined // Beyond the end of the buffer
  }
}
