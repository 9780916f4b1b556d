// Every event in the bin that the edges say, whatever way is taken; no cell runs over.
import assert from 'node:assert/strict'
import { type Vector } from '../../../schemas/index.js'
import { random } from '../../../test/support/random.js'
import { pixelMapOf, type PlacedRun, type Region, runsOf } from './areas.js'
import { BinAxis, evenEdges } from './axis.js'
import { BinCounts } from './counts.js'
import { Events } from './events.js'
import { byPixel } from './fill.js'

/** By the definition: half open, the last bin with its upper edge. */
function binOf(edges: Float64Array, value: number): number {
  const last = edges.length - 1
  if (value === edges[last]) return last - 1
  for (let i = 0; i < last; i++) if (value >= edges[i]! && value < edges[i + 1]!) return i
  return -1
}

function check(edges: Float64Array, below: (n: number) => number): BinAxis {
  const axis = new BinAxis(edges)
  const around = [...edges].flatMap((edge) => [-1, 0, 1].map((step) => Math.round(edge) + step))
  const span = Math.ceil(edges.at(-1)! - edges[0]!) + 10
  const others = Array.from({ length: 200 }, () => Math.floor(edges[0]!) - 5 + below(span))
  const values = Int32Array.from([...around, ...others, -(2 ** 31), 2 ** 31 - 1])
  const bins = new Int32Array(values.length)
  axis.map(values, bins)
  values.forEach((value, i) => assert.equal(bins[i], binOf(edges, value), `${value} of ${edges.length} edges`))
  return axis
}

const pixelsOf = (region: Region, width: number, height: number): number[] =>
  [...runsOf(region, width, height)].flatMap(({ pixel, length }) => Array.from({ length }, (_, i) => pixel + i))

/** Not aligned, as in most network buffers. */
function unaligned(ids: readonly number[]): Vector {
  const bytes = new Uint8Array(4 * ids.length + 1).subarray(1)
  bytes.set(new Uint8Array(Int32Array.from(ids).buffer))
  return { dtype: 'int32', length: ids.length, bytes }
}

describe('bins of histograms', () => {
  it('are those of the edges: equal ones', () => {
    const below = random(1)
    const wide = [5, 50, 500, 1000, 7143].map((bins) => check(evenEdges(0, 71_428_571, bins), below))
    assert.ok(wide.every(({ isEven }) => isEven))
    for (let i = 0; i < 300; i++) {
      const low = below(1000) - 500 + below(4) / 4
      check(evenEdges(low, low + 1 + below(100_000) / 7, 1 + below(200)), below)
    }
  })

  it('are those of the edges: uneven ones', () => {
    const below = random(2)
    for (let i = 0; i < 300; i++) {
      const edges = [...new Set(Array.from({ length: 2 + below(60) }, () => below(20_000) / (1 + below(5))))]
      if (edges.length > 1) check(Float64Array.from(edges.toSorted((a, b) => a - b)), below)
    }
  })

  it('carry over from the low byte, and into doubles', () => {
    const counts = new BinCounts(4, true)
    const fill = byPixel(1, 4)
    const events = new Events()
    const pixelId = unaligned(Array.from({ length: 1000 }, () => 2))
    const referenceTime = { dtype: 'int64', length: 1, bytes: new Uint8Array(8) } as const
    const record = {
      source: '',
      messageId: 0n,
      referenceTime,
      referenceTimeIndex: null,
      timeOfFlight: pixelId,
      pixelId
    }
    for (let i = 0; i < 3; i++) counts.sum += fill(events.set(record), new Int32Array(0), counts.ready(1000), 0)
    assert.deepEqual([...counts.settled()], [0, 3000, 0, 0])
    counts.sum = 2 ** 32 - 1
    counts.cells[1] = 2 ** 32 - 1
    fill(events.set(record), new Int32Array(0), counts.ready(1000), 0)
    assert.equal(counts.settled()[1], 2 ** 32 - 1 + 1000)
  })

  it('of regions hold the pixels whose centres they hold', () => {
    assert.deepEqual(pixelsOf({ rectangle: [1, 1, 2, 9] }, 4, 3), [5, 6, 9, 10])
    assert.deepEqual(pixelsOf({ polygon: [[0, 0], [3, 0], [0, 3]] }, 4, 3), [0, 1, 4]) // prettier-ignore
    const runs = [[7, 0], [8, 1], [7, 2]].map(([pixel, place]) => ({ pixel, length: 1, place, step: 0 }) as PlacedRun) // prettier-ignore
    const { first, layers } = pixelMapOf([7, 8], runs, () => undefined)
    assert.deepEqual([first, layers.map((layer) => [...layer])], [7, [[0, 1], [2, -1]]]) // prettier-ignore
  })
})
