// Messages for random scripts: each is like no other one.
import { eventCodec } from '../../plugins/converter-events/codec.js'
import { logF144 } from '../../plugins/converter-logs/codec.js'
import { type Message } from './model.js'

const ev44 = eventCodec('ev44')
const ints = (list: readonly number[]) =>
  ({ dtype: 'int32', length: list.length, bytes: new Uint8Array(Int32Array.from(list).buffer) }) as const

/** An f144 or ev44 message that is like no other one: its time is, to the nanosecond. */
export function encode(kind: Message['kind'], id: number, timestampNs: bigint): Buffer | null {
  if (kind === 'tombstone') return null
  if (kind !== 'events')
    return Buffer.from(
      logF144.encode({ source: kind === 'log' ? 'pv' : 'other', timestampNs, dtype: 'float64', value: id })
    )
  const zero = BigInt64Array.of(timestampNs)
  const referenceTime = { dtype: 'int64', length: 1, bytes: new Uint8Array(zero.buffer) } as const
  const one = { referenceTime, referenceTimeIndex: ints([0]), timeOfFlight: ints([id]), pixelId: ints([id]) }
  return ev44.encode({ source: 'det', messageId: 1n, ...one })
}

export const ns = (ms: number): bigint => BigInt(ms) * 1_000_000n
