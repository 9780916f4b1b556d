// The partition of a key: murmur2 as in the Java client, so that all producers agree.

export function murmur2(data: Uint8Array): number {
  const { length } = data
  let h = 0x9747b28c ^ length
  const whole = length & ~3
  for (let i = 0; i < whole; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24)
    k = Math.imul(k, 0x5bd1e995)
    k ^= k >>> 24
    h = Math.imul(h, 0x5bd1e995) ^ Math.imul(k, 0x5bd1e995)
  }
  const rest = length - whole
  if (rest > 0) {
    if (rest > 2) h ^= data[whole + 2]! << 16
    if (rest > 1) h ^= data[whole + 1]! << 8
    h = Math.imul(h ^ data[whole]!, 0x5bd1e995)
  }
  h = Math.imul(h ^ (h >>> 13), 0x5bd1e995)
  return h ^ (h >>> 15)
}

export const partitionOf = (key: Uint8Array, partitions: number): number => (murmur2(key) & 0x7fffffff) % partitions
