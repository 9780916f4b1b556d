// Events sorted by time of flight: by its digits, as these arrays are long and a comparison costs more than a move.

const DIGIT_BITS = 11
const DIGITS = 1 << DIGIT_BITS
/** Below it moving one by one is faster. */
const FEW = 48

export interface TimedEvents {
  readonly tof: Int32Array
  readonly ids: Int32Array
}

/** In place; equal times stay in their order. */
export function sortByTime({ tof, ids }: TimedEvents): void {
  const n = tof.length
  if (n <= FEW) return insert(tof, ids)
  let [least, most, isSorted] = [tof[0]!, tof[0]!, true]
  for (let i = 1; i < n; i++) {
    const time = tof[i]!
    if (time < tof[i - 1]!) isSorted = false
    if (time < least) least = time
    if (time > most) most = time
  }
  if (isSorted) return
  const bits = 32 - Math.clz32(most - least)
  let [keys, values] = [tof, ids]
  let [otherKeys, otherValues]: [Int32Array, Int32Array] = [new Int32Array(n), new Int32Array(n)]
  const places = new Int32Array(DIGITS)
  for (let shift = 0; shift < bits; shift += DIGIT_BITS) {
    placesOf(keys, least, shift, places)
    for (let i = 0; i < n; i++) {
      const key = keys[i]!
      const place = places[((key - least) >>> shift) & (DIGITS - 1)]!++
      otherKeys[place] = key
      otherValues[place] = values[i]!
    }
    ;[keys, values, otherKeys, otherValues] = [otherKeys, otherValues, keys, values]
  }
  if (keys === tof) return
  tof.set(keys)
  ids.set(values)
}

/** Where the first of each digit goes. */
function placesOf(keys: Int32Array, least: number, shift: number, places: Int32Array): void {
  places.fill(0)
  for (const key of keys) places[((key - least) >>> shift) & (DIGITS - 1)]!++
  let sum = 0
  for (let digit = 0; digit < DIGITS; digit++) {
    const count = places[digit]!
    places[digit] = sum
    sum += count
  }
}

function insert(tof: Int32Array, ids: Int32Array): void {
  for (let i = 1; i < tof.length; i++) {
    const [time, id] = [tof[i]!, ids[i]!]
    let at = i
    for (; at > 0 && tof[at - 1]! > time; at--) {
      tof[at] = tof[at - 1]!
      ids[at] = ids[at - 1]!
    }
    tof[at] = time
    ids[at] = id
  }
}
