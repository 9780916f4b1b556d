// Whether an image shows the test image of generated readouts: a ring, and the letters N and X.
import { pointOf } from '../../plugins/service-event-formation/generate/picture.js'
import { random as randomOf } from '../support/random.js'
import { type CountImage } from './report.js'

const POINTS = 200_000
const STEPS = 2 ** 30
/** A point whose kind is this or higher is one of the picture, not of the background. */
const BACKGROUND = 0.1

/** Cells that the picture may be in, with their neighbours, and those that it surely goes through. */
function drawn(
  width: number,
  height: number
): { readonly wide: ReadonlySet<number>; readonly narrow: ReadonlySet<number> } {
  // prettier-ignore
  const random = randomOf(1)
  const [wide, narrow] = [new Set<number>(), new Set<number>()]
  for (let i = 0; i < POINTS; i++) {
    let isFirst = true
    const [u, v] = pointOf(() => {
      const value = random(STEPS) / STEPS
      const used = isFirst ? BACKGROUND + (1 - BACKGROUND) * value : value
      isFirst = false
      return used
    })
    const [x, y] = [Math.floor(u * width), Math.floor(v * height)]
    narrow.add(y * width + x)
    for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) wide.add((y + dy) * width + x + dx)
  }
  return { wide, narrow }
}

/** Share of the counts that are in the picture, and share of its cells that have any. */
export function patternIn({ width, height, counts }: CountImage): { readonly inside: number; readonly filled: number } {
  const { wide, narrow } = drawn(width, height)
  const sum = counts.reduce((a, b) => a + b, 0)
  const inside = counts.reduce((total, n, i) => total + (wide.has(i) ? n : 0), 0)
  const filled = [...narrow].filter((cell) => (counts[cell - 1] ?? 0) + (counts[cell] ?? 0) + (counts[cell + 1] ?? 0) > 0) // prettier-ignore
  return { inside: inside / Math.max(1, sum), filled: filled.length / narrow.size }
}
