// The Kafka header `traceparent` (W3C Trace Context): taken from a command and given to all that is said for it.
import { type Batch } from './api/kafka.js'

const form = /^[0-9a-f]{2}(-[0-9a-f]{32})(-[0-9a-f]{16})-[0-9a-f]{2}$/

/** Of record i; nothing where there is none, or nothing that fits, and for a tombstone. */
export function traceOf(
  batch: Pick<Batch, 'bytes' | 'value' | 'valueEnd'>,
  i: number
): { readonly traceparent?: string } {
  const traceparent = batch.value(i) === null ? undefined : traceparentOf(batch, i)
  return traceparent === undefined ? {} : { traceparent }
}

/** The same of a record that has a value; undefined for nothing. The headers begin where the value ends. */
export function traceparentOf(batch: Pick<Batch, 'bytes' | 'valueEnd'>, i: number): string | undefined {
  const { bytes } = batch
  let at = batch.valueEnd(i)
  const varint = (): number => {
    let value = 0
    for (let shift = 0, byte = 128; byte > 127; shift += 7) {
      byte = bytes.getUint8(at++)
      value |= (byte & 127) << shift
    }
    return (value >>> 1) ^ -(value & 1)
  }
  const text = (): string => {
    const length = Math.max(0, varint())
    at += length
    return Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset + at - length, length).toString('latin1')
  }
  try {
    for (let left = varint(); left > 0; left--) {
      const [name, value] = [text(), text()]
      if (name === 'traceparent') return form.test(value) ? value : undefined
    }
  } catch {
    // Damaged: beyond the end of the buffer
  }
  return undefined
}
