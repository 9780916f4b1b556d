import assert from 'node:assert/strict'
import { type GridView } from '../wire.js'
import { laidOut } from './layout.js'
import { cellsOf, type Pictured } from './numbers.js'
import { type GridLayout } from './protocol.js'

describe('the image of a detector', () => {
  const grid = { id: 0, name: 'bank', size: [4, 3, 2], first: 101, places: null } as const
  const layout = { grid, view: 'xy', first: 101, isTurned: false } as const satisfies GridLayout
  const picture = (shape: readonly number[], data: readonly number[], label = '', pixels?: readonly number[]): Pictured => ({
    ...{ source: '', timeMs: 0, shape, axes: shape.map(() => ({ label, unit: '' })), info: {} },
    ...{ edges: shape.map(() => (pixels === undefined ? null : Float64Array.from(pixels))), data: Float64Array.from(data) }
  }) // prettier-ignore
  /** Place of what lies at x, y, z, by hand. */
  const counts = Array.from({ length: 24 }, (_, i) => (i + 1) ** 2)
  const seen = (view: GridView): number[] => {
    const [wide, high] = { xy: [4, 3], xz: [4, 2], yz: [3, 2] }[view] as [number, number]
    const out = new Array<number>(wide * high).fill(0)
    for (let z = 0, i = 0; z < 2; z++)
      for (let y = 0; y < 3; y++)
        for (let x = 0; x < 4; x++, i++) out[{ xy: y * wide + x, xz: z * wide + x, yz: z * wide + y }[view]]! += counts[i]!
    return out
  } // prettier-ignore

  it('has each pixel at its place, seen along each axis', () => {
    for (const view of ['xy', 'xz', 'yz'] as const) {
      const { shape, axes, data } = laidOut(picture([24], counts), { ...layout, view })
      assert.deepEqual([...cellsOf(data)], seen(view))
      assert.deepEqual(shape, { xy: [3, 4], xz: [2, 4], yz: [2, 3] }[view])
      assert.deepEqual(axes.map(({ label }) => label), [view[1], view[0]]) // prettier-ignore
    }
  })

  it('leaves out the pixels of others', () => {
    const wide = picture([2, 20], [...new Array<number>(10).fill(7), ...counts, ...new Array<number>(6).fill(7)])
    assert.deepEqual([...cellsOf(laidOut(wide, { ...layout, first: 91 }).data)], seen('xy'))
  })

  it('takes the numbers of pixels where they are told', () => {
    const order = counts.map((_, i) => (i * 7) % 24)
    const pixels = [5, ...order.map((i) => 101 + i), 125]
    const data = [9, ...order.map((i) => counts[i]!), 9]
    assert.deepEqual([...cellsOf(laidOut(picture([26], data, 'detector_number', pixels), layout).data)], seen('xy'))
    // Edges about the numbers
    const edges = Array.from({ length: 25 }, (_, i) => 100.5 + i)
    assert.deepEqual([...cellsOf(laidOut(picture([24], counts, 'pixel', edges), layout).data)], seen('xy'))
    const wrong = [NaN, Infinity, -Infinity, 1e300]
    assert.ok(cellsOf(laidOut(picture([4], [1, 1, 1, 1], 'pixel', wrong), layout).data).every((n) => n === 0))
  })

  it('has pixels in any order, and none where there is none', () => {
    // As above with every pixel's number doubled, backwards
    const places = new Int32Array(48).fill(-1)
    for (let i = 0; i < 24; i++) places[2 * i] = 23 - i
    const pixels = Array.from({ length: 24 }, (_, i) => 101 + 2 * (23 - i))
    const table = { ...layout, grid: { ...grid, places } }
    assert.deepEqual([...cellsOf(laidOut(picture([24], counts, 'pixel', pixels), table).data)], seen('xy'))
    const all = Array.from({ length: 48 }, (_, i) => (i % 2 === 0 ? counts[23 - i / 2]! : 99))
    assert.deepEqual([...cellsOf(laidOut(picture([6, 8], all), table).data)], seen('xy'))
  })

  it('takes images whose y runs first', () => {
    const turned = Array.from({ length: 24 }, (_, i) => counts[(i % 6) * 4 + Math.floor(i / 6)]!)
    assert.deepEqual([...cellsOf(laidOut(picture([4, 6], turned), { ...layout, isTurned: true }).data)], seen('xy'))
  })
})
