// Events sorted by time of flight: by its digits, as these arrays are long and a comparison costs more than a move.

/** Below it moving one by one is faster. */
const FEW = 48
/** Above it digits may be large: there are fewer of them, and counting them costs more. */
const MANY = 3000
const [SMALL_DIGIT, LARGE_DIGIT] = [8, 11]
const MOST_DIGITS = 4

export interface TimedEvents {
  readonly tof: Int32Array
  readonly ids: Int32Array
}

/** Memory that is used again: where the events of every other round go, and how often each digit is there, one round after the other. */
let spareTof = new Int32Array(0)
let spareIds = new Int32Array(0)
const counts = new Int32Array(MOST_DIGITS << LARGE_DIGIT)

/** In place; equal times stay in their order. */
export function sortByTime({ tof, ids }: TimedEvents): void {
  const n = tof.length
  if (n <= FEW) return insert(tof, ids)
  let least = tof[0]!
  let most = least
  let before = least
  let isSorted = true
  for (let i = 1; i < n; i++) {
    const time = tof[i]!
    if (time < before) isSorted = false
    if (time < least) least = time
    if (time > most) most = time
    before = time
  }
  if (isSorted) return
  const digit = n > MANY ? LARGE_DIGIT : SMALL_DIGIT
  const rounds = Math.ceil((32 - Math.clz32(most - least)) / digit)
  countDigits(tof, least, digit, rounds)
  if (spareTof.length < n) {
    spareTof = new Int32Array(2 * n)
    spareIds = new Int32Array(2 * n)
  }
  const [all, spare] = [
    { tof, ids },
    { tof: spareTof, ids: spareIds }
  ]
  for (let round = 0; round < rounds; round++) {
    const isEven = round % 2 === 0
    const [from, to] = isEven ? [all, spare] : [spare, all]
    move(from, to, n, { least, digit, round })
  }
  if (rounds % 2 === 0) return
  tof.set(spareTof.subarray(0, n))
  ids.set(spareIds.subarray(0, n))
}

/** Of all rounds at once: then where the first of each digit goes. */
function countDigits(tof: Int32Array, least: number, digit: number, rounds: number): void {
  const digits = 1 << digit
  const last = digits - 1
  counts.fill(0, 0, rounds << digit)
  for (let i = 0; i < tof.length; i++) {
    let key = (tof[i]! - least) >>> 0
    for (let at = 0; at < rounds << digit; at += digits) {
      counts[at + (key & last)]!++
      key >>>= digit
    }
  }
  for (let round = 0; round < rounds; round++) {
    let sum = 0
    for (let i = round << digit; i < (round + 1) << digit; i++) {
      const count = counts[i]!
      counts[i] = sum
      sum += count
    }
  }
}

interface Round {
  /** The least of all times. */
  readonly least: number
  /** Bits. */
  readonly digit: number
  readonly round: number
}

/** @param n - events, which may be fewer than there is memory */
function move(from: TimedEvents, to: TimedEvents, n: number, { least, digit, round }: Round): void {
  const [tof, ids, toTof, toIds] = [from.tof, from.ids, to.tof, to.ids]
  const places = counts.subarray(round << digit, (round + 1) << digit)
  const shift = digit * round
  const last = (1 << digit) - 1
  for (let i = 0; i < n; i++) {
    const time = tof[i]!
    const place = places[((time - least) >>> shift) & last]!++
    toTof[place] = time
    toIds[place] = ids[i]!
  }
}

function insert(tof: Int32Array, ids: Int32Array): void {
  for (let i = 1; i < tof.length; i++) {
    const time = tof[i]!
    const id = ids[i]!
    let at = i
    for (; at > 0 && tof[at - 1]! > time; at--) {
      tof[at] = tof[at - 1]!
      ids[at] = ids[at - 1]!
    }
    tof[at] = time
    ids[at] = id
  }
}
