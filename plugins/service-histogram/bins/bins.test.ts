// Every event in the bin that the edges say, whatever way is taken; no cell runs over.
import assert from 'node:assert/strict'
import { type Vector } from '../../../schemas/index.js'
import { random } from '../../../test/support/random.js'
import { pixelMapOf, type PlacedRun, type Region, runsOf } from './areas.js'
import { AxisPair, type BinAxis, evenEdges } from './axis.js'
import { BinCounts } from './counts.js'
import { Events, piecesOf } from './events.js'
import { byPixel, byPixelInTime, byTime } from './fill.js'

/** By the definition: half open, the last bin with its upper edge. */
function binOf(edges: Float64Array, value: number): number {
  const last = edges.length - 1
  if (value === edges[last]) return last - 1
  for (let i = 0; i < last; i++) if (value >= edges[i]! && value < edges[i + 1]!) return i
  return last
}

function check(edges: Float64Array, below: (n: number) => number): BinAxis {
  const pair = AxisPair.for(edges)
  const around = [...edges].flatMap((edge) => [-1, 0, 1].map((step) => Math.round(edge) + step))
  const span = Math.ceil(edges.at(-1)! - edges[0]!) + 10
  const others = Array.from({ length: 200 }, () => Math.floor(edges[0]!) - 5 + below(span))
  for (const dtype of ['int32', 'uint32'] as const) {
    const isUnsigned = dtype === 'uint32'
    const all = [...around, ...others, -1, 0, -(2 ** 31), 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
    const values = (isUnsigned ? Uint32Array : Int32Array).from(all)
    const axis = pair.of(isUnsigned)
    const timeOfFlight = vector(dtype, values)
    const slow = new Int32Array(values.length)
    axis.map(new Int32Array(values.buffer), slow)
    const { numbers } = new Events().set({ timeOfFlight, pixelId: timeOfFlight }).bins(axis, 0)
    for (const bins of [slow, numbers])
      values.forEach((value, i) => assert.equal(bins[i], binOf(edges, value), `${value} of ${edges.length} edges`))
  }
  return pair.signed
}

const pixelsOf = (region: Region, width: number, height: number): number[] =>
  [...runsOf(region, width, height)].flatMap(({ pixel, length }) => Array.from({ length }, (_, i) => pixel + i))

/** Not aligned, as in most network buffers. */
function vector(dtype: Vector['dtype'], values: Int32Array | Uint32Array): Vector {
  const bytes = new Uint8Array(values.byteLength + 1).subarray(1)
  bytes.set(new Uint8Array(values.buffer))
  return { dtype, length: values.length, bytes }
}
const all = (length: number, value: number): Vector => vector('int32', new Int32Array(length).fill(value))

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
    const counts = new BinCounts(4, 'low')
    const fill = byPixel(1, 4)
    const events = new Events().set({ timeOfFlight: all(1000, 2), pixelId: all(1000, 2) })
    for (let i = 0; i < 3; i++) counts.sum += fill(events, counts.ready(1000), 0)
    assert.deepEqual([...counts.settled()], [0, 3000, 0, 0])
    counts.sum = 2 ** 32 - 1
    counts.cells[1] = 2 ** 32 - 1
    for (let i = 0; i < 2; i++) counts.sum += fill(events, counts.ready(1000), 0)
    assert.equal(counts.settled()[1], 2 ** 32 - 1 + 2000)
    counts.clear()
    assert.deepEqual([...counts.settled()], [0, 0, 0, 0])
  })

  it('of images hold the events of a window of times, both ends included, in small and large cells', () => {
    const below = random(4)
    const times = Int32Array.from({ length: 10_000 }, () => below(40))
    const pixels = Int32Array.from({ length: 10_000 }, () => below(12))
    const wanted = new Array<number>(10).fill(0)
    for (const [i, time] of times.entries()) if (time >= 7 && time <= 31 && pixels[i]! >= 1 && pixels[i]! <= 10) wanted[pixels[i]! - 1]!++ // prettier-ignore
    const axis = AxisPair.for(Float64Array.of(7, 31))
    const events = new Events().set({ timeOfFlight: vector('uint32', times), pixelId: vector('int32', pixels) })
    for (const layout of ['plain', 'low'] as const) {
      const counts = new BinCounts(10, layout)
      counts.sum = byPixelInTime({ axis, column: 0 }, 1, 10)(events, counts.ready(times.length), 0)
      assert.deepEqual([...counts.settled()], wanted)
      assert.equal(counts.sum, wanted.reduce((sum, n) => sum + n)) // prettier-ignore
    }
  })

  it('are counted in pieces, alike by all who share an axis, also where memory was used before', () => {
    const below = random(3)
    const values = Int32Array.from({ length: 300_001 }, () => below(1200) - 100)
    const record = { timeOfFlight: vector('int32', values), pixelId: vector('int32', values) }
    const edges = [evenEdges(0, 1000, 7), evenEdges(0, 1000, 10), Float64Array.from([0, 1, 500, 1000])]
    const wanted = edges.map((one) => {
      const cells = new Uint32Array(one.length)
      for (const value of values) cells[binOf(one, value)]!++
      return [...cells.subarray(0, -1)]
    })
    const events = new Events()
    for (let round = 0; round < 3; round++) {
      const many = [...edges, ...edges, ...edges, ...edges].map((one) => {
        const axis = AxisPair.for(one)
        return { fill: byTime({ axis, column: 0 }), counts: new BinCounts(axis.signed.bins, 'kernel') }
      })
      for (const piece of piecesOf(record))
        for (const { fill, counts } of many) counts.sum += fill(events.set(piece), counts, 0)
      many.forEach(({ counts }, i) => {
        assert.deepEqual([...counts.settled()], wanted[i % 3])
        assert.equal(
          counts.sum,
          wanted[i % 3]!.reduce((sum, n) => sum + n)
        )
        counts.release()
      })
    }
  })

  it('of regions hold the pixels whose centres they hold', () => {
    assert.deepEqual(pixelsOf({ rectangle: [1, 1, 2, 9] }, 4, 3), [5, 6, 9, 10])
    assert.deepEqual(pixelsOf({ polygon: [[0, 0], [3, 0], [0, 3]] }, 4, 3), [0, 1, 4]) // prettier-ignore
    const runs = [[7, 0], [8, 1], [7, 2]].map(([pixel, place]) => ({ pixel, length: 1, place, step: 0 }) as PlacedRun) // prettier-ignore
    const { first, layers } = pixelMapOf([7, 8], runs, () => undefined)
    assert.deepEqual([first, layers.map((layer) => [...layer])], [7, [[0, 1], [2, -1]]]) // prettier-ignore
  })
})
