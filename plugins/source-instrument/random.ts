// xoshiro128** (Blackman and Vigna), seeded per pulse, so that pulse n is the same whatever was made before it.

/** Mixes 32 bits (finaliser of MurmurHash3). */
function mix(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** State of the generator: four words that `next` advances. */
export type RandomState = Int32Array

/** The state for one pulse of one channel. `seed` and `pulse` are integers up to 2^53. */
export function seedState(seed: number, channel: number, pulse: number): RandomState {
  const state = new Int32Array(4)
  const words = [seed | 0, Math.floor(seed / 0x1_0000_0000), channel, pulse | 0, Math.floor(pulse / 0x1_0000_0000)]
  let h = 0x9e3779b9
  for (const word of words) h = mix(h ^ word) + 0x6d2b79f5
  for (let i = 0; i < 4; i++) {
    h = (h + 0x9e3779b9) | 0
    state[i] = mix(h)
  }
  if ((state[0]! | state[1]! | state[2]! | state[3]!) === 0) state[0] = 1
  return state
}

/** The next 32 random bits, as a signed integer. */
export function next(state: RandomState): number {
  const s1 = state[1]!
  const turned = Math.imul(s1, 5)
  const result = Math.imul((turned << 7) | (turned >>> 25), 9)
  const t = s1 << 9
  const s2 = state[2]! ^ state[0]!
  const s3 = state[3]! ^ s1
  state[1] = s1 ^ s2
  state[0] = state[0]! ^ s3
  state[2] = s2 ^ t
  state[3] = (s3 << 11) | (s3 >>> 21)
  return result
}
