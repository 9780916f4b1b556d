// The test image of generated readouts: a ring and two letters over a thin background, so that turned and mirrored ones are seen.

type Point = readonly [u: number, v: number]

/** Strokes of N and X; v grows upwards, as y of a picture does. */
const strokes: readonly (readonly [Point, Point])[] = [
  [[0.25, 0.35], [0.25, 0.65]],
  [[0.25, 0.65], [0.45, 0.35]],
  [[0.45, 0.35], [0.45, 0.65]],
  [[0.55, 0.35], [0.75, 0.65]],
  [[0.55, 0.65], [0.75, 0.35]]
] // prettier-ignore

const RADIUS = 0.45
const BACKGROUND = 0.1
const RING = 0.5

/** A point of the picture, by the next random numbers. */
export function pointOf(random: () => number): Point {
  const kind = random()
  if (kind < BACKGROUND) return [random(), random()]
  const along = random()
  if (kind < RING) return [0.5 + RADIUS * Math.cos(2 * Math.PI * along), 0.5 + RADIUS * Math.sin(2 * Math.PI * along)]
  const [from, to] = strokes[Math.floor(random() * strokes.length)]!
  return [from[0] + along * (to[0] - from[0]), from[1] + along * (to[1] - from[1])]
}

/** Numbers from 0 to below 1 that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
